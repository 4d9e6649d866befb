//! Answers of interop filters.

use super::*;
use alloy::primitives::U256;
use axum::http::StatusCode;
use rstest::rstest;

/// The contract whose log is cited.
const ORIGIN: Address = Address::repeat_byte(0xe0);

/// The payload of that log.
const PAYLOAD: B256 = B256::repeat_byte(0xda);

/// The own answers: a list is valid if it declares the log as it is.
#[derive(Clone, Default)]
struct Own {
    /// What is answered instead.
    instead: Arc<Mutex<Option<SupervisorError>>>,
}

impl OwnChecks for Own {
    async fn check_access_list(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SupervisorError> {
        assert_eq!((chain_id, timestamp.0 % 2), (ChainId::from(CHAIN), 0));
        match &*self.instead.lock() {
            Some(error) => Err(error.clone()),
            None if is_right(entries) => Ok(()),
            None => Err(SupervisorError::Conflict { problem: "another log is there".to_owned() }),
        }
    }
}

fn is_right(entries: &[B256]) -> bool {
    let [access] = parse_access_list(entries).unwrap().try_into().unwrap();
    let checksum = crosscheck_core::message::Checksum::of(&message(PAYLOAD));
    access.checksum == checksum
}

fn message(payload_hash: B256) -> Message {
    let chain_id = ChainId::from(CHAIN);
    let (block_number, timestamp) = (1, UnixSeconds(102));
    Message {
        identifier: Identifier { origin: ORIGIN, block_number, log_index: 0, timestamp, chain_id },
        payload_hash,
    }
}

/// The hash of the block that was made as this one.
fn hash(made: u64) -> B256 {
    U256::from(made).into()
}

/// A chain of which every block but the first executes a message that cites the first.
struct Messages {
    tracker: TrackerWriter,
    index: LogIndex,
    /// The hashes of its blocks, and of the parent of the first.
    hashes: Vec<B256>,
    /// How many blocks were ever made.
    made: u64,
}

impl Messages {
    fn new() -> Self {
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let set = DependencySet::new([(ChainId::from(CHAIN), member)].into(), 3600);
        let index = LogIndex::new(usize::MAX);
        let limits = TrackerLimits { max_messages: 5_000, retention: 1_000_000, ended_kept: 10 };
        let tracker = TrackerWriter::new(Tracker::new(set, index.clone(), limits));
        let mut messages = Self { tracker, index, hashes: vec![B256::ZERO], made: 0 };
        messages.extend(None);
        messages
    }

    fn extend(&mut self, payload_hash: Option<B256>) {
        self.made += 1;
        let (number, hash) = (self.hashes.len() as u64, hash(self.made));
        let parent_hash = *self.hashes.last().unwrap();
        self.hashes.push(hash);
        let executed = payload_hash.map(|payload_hash| Executed {
            log_index: 0,
            transaction_index: 1,
            by_deposit: false,
            message: ExecutingMessage { log_index: 0, message: message(payload_hash) },
        });
        let executed: Vec<Executed> = executed.into_iter().collect();
        let timestamp = UnixSeconds(100 + 2 * number);
        let logs = vec![ProvenLog { origin: ORIGIN, payload_hash: PAYLOAD }];
        let chain_id = ChainId::from(CHAIN);
        let logs = ProvenLogs::for_tests(chain_id, number, timestamp, logs).with_hash(hash);
        self.index.insert(Arc::new(logs.with_executed(executed.clone())));
        let outcome = self.tracker.apply(Input::Block(Arc::new(ObservedBlock {
            key: BlockKey { chain_id, number, hash },
            parent_hash,
            timestamp,
            transactions: executed.iter().map(|_| B256::repeat_byte(0x77)).collect(),
            executed,
            undecodable: Vec::new(),
            undeclared: Vec::new(),
            is_deposits_only: false,
        })));
        assert_eq!((outcome.refused, outcome.requests), (None, vec![]));
    }

    /// The highest block is canonical no longer.
    fn rewind(&mut self) {
        self.hashes.pop();
        let kept = self.hashes.len() as u64 - 1;
        self.tracker.apply(Input::Rewound { chain_id: ChainId::from(CHAIN), kept });
    }

    /// The monitor decides another message.
    fn decide(&mut self, is_valid: bool) {
        self.extend(Some(if is_valid { PAYLOAD } else { B256::ZERO }));
    }
}

/// What a filter answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Conduct {
    /// As we do.
    Right,
    Accepts,
    Rejects,
    /// Another code.
    Code(i32),
    /// It rejects what it is asked for the first time.
    RejectsOnce,
    /// The same, in passthrough.
    Passthrough,
    /// As we do, under the older name only. No filter serves a method that names its passthrough.
    Older,
    Object,
    Hang,
}

impl Conduct {
    /// Whether it reads access lists, and refuses a message that is not older than its block.
    const fn reads(self) -> bool {
        !matches!(self, Self::Passthrough | Self::Code(_) | Self::Object)
    }
}

fn is_refused_by_all(entries: &[B256], descriptor: &Value) -> bool {
    let executed: U64 = serde_json::from_value(descriptor["timestamp"].clone()).unwrap();
    let [access] = parse_access_list(entries).unwrap().try_into().unwrap();
    access.timestamp.0 >= executed.to::<u64>()
}

/// A filter.
struct Scripted {
    conduct: Conduct,
    /// How many lists were asked about that may be valid.
    asked: u64,
    /// Its block that is cited. `None`: it does not say.
    block: Option<B256>,
}

impl Scripted {
    fn new(conduct: Conduct) -> Shared {
        Arc::new(Mutex::new(Self { conduct, asked: 0, block: Some(hash(1)) }))
    }
}

type Shared = Arc<Mutex<Scripted>>;

fn answer(conduct: Conduct, asked: u64, entries: &[B256]) -> Result<Value, ErrorObjectOwned> {
    let conflict = || Err(refusal(-320_600, "rejected by http://10.0.0.7:8545: conflicting data"));
    match conduct {
        Conduct::Right | Conduct::Older if is_right(entries) => Ok(json!(null)),
        Conduct::Accepts | Conduct::Passthrough => Ok(json!(null)),
        Conduct::RejectsOnce if asked > 1 => Ok(json!(null)),
        Conduct::Right | Conduct::Older | Conduct::Rejects | Conduct::RejectsOnce => conflict(),
        Conduct::Code(code) => Err(refusal(code, "not now")),
        Conduct::Object | Conduct::Hang => Ok(json!({})),
    }
}

async fn served(scripted: Shared) -> RunningServer {
    let mut module = RpcModule::new(scripted);
    module
        .register_method("interop_getBlockHashByNumber", |params, scripted, _| {
            let asked = params.parse::<(String, String)>().unwrap();
            assert_eq!(asked, ("901".to_owned(), "0x1".to_owned()));
            scripted.lock().block.ok_or_else(|| refusal(-32_601, "the method does not exist"))
        })
        .unwrap();
    for name in ["interop_checkAccessList", "supervisor_checkAccessList"] {
        let is_older = name.starts_with("supervisor");
        let method = move |params: jsonrpsee::types::Params<'static>, scripted: Arc<Shared>, _| async move {
            let (entries, level, descriptor) = params.parse::<(Vec<B256>, String, Value)>().unwrap();
            assert_eq!((level.as_str(), &descriptor["chainID"]), ("unsafe", &json!("901")));
            let (is, asked) = {
                let mut scripted = scripted.lock();
                scripted.asked += u64::from(!is_refused_by_all(&entries, &descriptor));
                (scripted.conduct, scripted.asked)
            };
            if is == Conduct::Hang {
                std::future::pending::<()>().await;
            }
            if (is == Conduct::Older) != is_older {
                return Err(refusal(-32_601, "the method does not exist"));
            }
            if is_refused_by_all(&entries, &descriptor) && is.reads() {
                return Err(refusal(
                    -320_600,
                    "initiating message timestamp 1 not before inclusion timestamp 1",
                ));
            }
            answer(is, asked, &entries)
        };
        module.register_async_method(name, method).unwrap();
    }
    start(module).await.unwrap()
}

struct World {
    scripted: Shared,
    own: Own,
    messages: Messages,
    reports: Reports,
    _server: Option<RunningServer>,
}

impl World {
    async fn new(conduct: Conduct) -> Self {
        let timeout = if conduct == Conduct::Hang { Duration::from_millis(250) } else { DEADLINE };
        let scripted = Scripted::new(conduct);
        let server = served(Arc::clone(&scripted)).await;
        let url = server.url();
        Self::at(&url, timeout, (scripted, Some(server))).await
    }

    /// The filter is at this address.
    async fn at(url: &str, timeout: Duration, (scripted, server): (Shared, Option<RunningServer>)) -> Self {
        let filter = "http://10.0.0.7:8545".parse().unwrap();
        let mut reports =
            Reports::new(EndpointKind::Filter, EndpointNames::new([("filter #0".to_owned(), &filter)])).await;
        let filter = InteropFilter::new(url.parse().unwrap(), limits(timeout)).unwrap();
        let (own, messages) = (Own::default(), Messages::new());
        let tracker: SharedTracker = messages.tracker.tracker();
        let watcher = FilterWatcher::new(filter, own.clone(), tracker, reports.endpoint.clone());
        reports.tasks.spawn(async move { watcher.run(CancellationToken::new()).await.unwrap() });
        Self { scripted, own, messages, reports, _server: server }
    }

    fn set(&self, conduct: Conduct) {
        self.scripted.lock().conduct = conduct;
    }

    fn asked(&self) -> u64 {
        self.scripted.lock().asked
    }

    /// The monitor decides a message, and the comparison comes to this.
    async fn decide(&mut self, is_valid: bool, outcome: &str) {
        let before = self.reports.outcomes(outcome);
        self.messages.decide(is_valid);
        self.reports.until(outcome, |reports| reports.outcomes(outcome) > before).await;
    }
}

#[rstest]
#[case::by_the_name_of_today(Conduct::Right)]
#[case::by_the_older_name(Conduct::Older)]
#[tokio::test]
async fn who_agrees_is_not_reported(#[case] conduct: Conduct) {
    let mut world = World::new(conduct).await;
    for is_valid in [true, false, true] {
        world.decide(is_valid, "agrees").await;
    }
    assert_eq!(world.reports.outcomes("differs"), 0);
    world.reports.assert_silent().await;
}

/// A proxy that lists only the older name, and refuses every other method with this HTTP status.
async fn proxied(status: u16) -> (String, impl Future<Output = ()>) {
    let answer = move |axum::Json(request): axum::Json<Value>| async move {
        if request["method"] != "supervisor_checkAccessList" {
            return (StatusCode::from_u16(status).unwrap(), String::new());
        }
        let entries: Vec<B256> = serde_json::from_value(request["params"][0].clone()).unwrap();
        let is_accepted = !is_refused_by_all(&entries, &request["params"][2]) && is_right(&entries);
        let (key, answer) = match is_accepted {
            true => ("result", Value::Null),
            false => ("error", json!({ "code": -320_600, "message": "conflicting data" })),
        };
        (StatusCode::OK, json!({ "jsonrpc": "2.0", "id": request["id"], key: answer }).to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(axum::routing::post(answer));
    (url, async move { axum::serve(listener, app).await.unwrap() })
}

#[rstest]
#[case::not_authorized(401)]
#[case::forbidden(403)]
#[case::not_found(404)]
#[case::not_allowed(405)]
#[tokio::test]
async fn a_filter_behind_a_proxy_is_asked_by_the_name_that_the_proxy_lists(#[case] status: u16) {
    let shared = Scripted::new(Conduct::Right);
    let (url, proxy) = proxied(status).await;
    let mut world = World::at(&url, DEADLINE, (shared, None)).await;
    world.reports.tasks.spawn(proxy);
    for is_valid in [true, false] {
        world.decide(is_valid, "agrees").await;
    }
    world.reports.assert_silent().await;
    assert_eq!(world.reports.lines.count("gives no second opinion"), 0);
}

#[rstest]
#[case::accepts_what_is_invalid(Conduct::Accepts, false)]
#[case::rejects_what_is_valid(Conduct::Rejects, true)]
#[tokio::test]
async fn a_difference_is_reported_with_both_answers(#[case] conduct: Conduct, #[case] is_valid: bool) {
    let mut world = World::new(conduct).await;
    world.messages.decide(is_valid);
    world.reports.until_line("access check of an interop filter differs").await;
    let [event] = world.reports.events().await.try_into().unwrap();
    assert_eq!((&event["kind"], &event["log_index"]), (&json!("access-checks-differ"), &json!(0)));
    assert_eq!((&event["executing"]["number"], &event["initiating_chain"]), (&json!(2), &json!(CHAIN)));
    assert_eq!(event["transaction_hash"], json!(B256::repeat_byte(0x77)));
    let valid = |by| json!({ "by": by, "is_valid": true, "code": null, "detail": null });
    let invalid = |by, detail| json!({ "by": by, "is_valid": false, "code": -320_600, "detail": detail });
    let answers = match is_valid {
        true => json!([valid("crosscheck"), invalid("filter #0", "rejected by filter #0: conflicting data")]),
        false => json!([invalid("crosscheck", "another log is there: conflicting data"), valid("filter #0")]),
    };
    assert_eq!(event["answers"], answers);
    assert!(world.reports.differ());

    // Reported once, whatever else it is asked about: that it agrees on other messages does not end it.
    for _ in 0..3 {
        world.decide(is_valid, "differs").await;
        world.decide(!is_valid, "agrees").await;
    }
    assert!(world.reports.differ());
    assert_eq!(world.reports.lines.count("second opinion agrees again"), 0);
    assert_eq!(world.reports.events().await.len(), 1);
    world.set(Conduct::Right);
    world.reports.until_line("second opinion agrees again").await;
    assert!(!world.reports.differ());
}

#[tokio::test]
async fn a_difference_that_is_not_found_again_is_not_reported() {
    let mut world = World::new(Conduct::RejectsOnce).await;
    world.decide(true, "differs").await;
    world.reports.until("agreement", |reports| reports.outcomes("agrees") > 0).await;
    world.reports.assert_silent().await;
}

#[rstest]
#[case::of_one_block(Some(hash(1)), 60)]
#[case::where_the_filter_does_not_name_its_block(None, 600)]
#[tokio::test]
async fn a_difference_is_reported_when_it_has_lasted(#[case] block: Option<B256>, #[case] seconds: u64) {
    let mut world = World::new(Conduct::Accepts).await;
    world.reports.clock.stop();
    world.scripted.lock().block = block;
    world.decide(false, "differs").await;
    world.reports.until_more("differs", 3).await;
    world.reports.clock.advance(seconds - 1);
    world.reports.until_more("differs", 3).await;
    world.reports.assert_silent().await;
    world.reports.clock.advance(1);
    world.reports.until("the difference", Reports::differ).await;
}

#[tokio::test]
async fn a_filter_on_another_branch_has_no_opinion() {
    let mut world = World::new(Conduct::Accepts).await;
    world.scripted.lock().block = Some(hash(99));
    world.decide(false, "none").await;
    world.decide(false, "none").await;
    assert_eq!(world.reports.outcomes("differs"), 0);
    world.reports.assert_silent().await;
    assert_eq!(world.reports.lines.count("gives no second opinion"), 0);
}

#[tokio::test]
async fn what_was_found_in_a_block_that_is_reorged_out_is_forgotten() {
    let mut world = World::new(Conduct::Accepts).await;
    world.reports.clock.stop();
    world.decide(false, "differs").await;
    world.messages.rewind();
    // Two rounds that began after the reorg.
    for _ in 0..3 {
        world.decide(true, "agrees").await;
    }
    let differed = world.reports.outcomes("differs");
    world.reports.clock.advance(1_000);
    for _ in 0..3 {
        world.decide(true, "agrees").await;
    }
    assert_eq!(world.reports.outcomes("differs"), differed);
    world.reports.assert_silent().await;
}

#[tokio::test]
async fn messages_of_blocks_that_are_reorged_out_are_not_asked_about() {
    let mut messages = Messages::new();
    let mut sampler = Sampler::new(&messages.tracker.tracker().read());
    messages.decide(false);
    messages.rewind();
    assert_eq!(sampler.take(&messages.tracker.tracker().read(), 8), []);
}

/// Whether the filter is named as one that gives no opinion.
#[rstest]
#[case::failsafe(Conduct::Code(-320_602), false)]
#[case::starting(Conduct::Code(-320_400), false)]
#[case::older_than_its_backfill(Conduct::Code(-320_500), false)]
#[case::a_chain_that_it_does_not_watch(Conduct::Code(-320_501), false)]
#[case::awaits_a_replacement(Conduct::Code(-320_901), false)]
#[case::not_read_yet(Conduct::Code(-321_100), false)]
#[case::not_there_yet(Conduct::Code(-321_401), false)]
#[case::its_data_contradict_themselves(Conduct::Code(-321_500), false)]
#[case::an_outage(Conduct::Code(-32_603), false)]
#[case::an_error_without_a_code_of_its_own(Conduct::Code(-32_602), false)]
#[case::not_served(Conduct::Code(-32_601), true)]
#[case::passthrough(Conduct::Passthrough, true)]
#[case::no_answer_of_a_filter(Conduct::Object, true)]
#[case::no_answer(Conduct::Hang, true)]
#[tokio::test]
async fn what_decides_nothing_is_no_opinion(#[case] conduct: Conduct, #[case] is_named: bool) {
    let mut world = World::new(conduct).await;
    for is_valid in [true, false] {
        world.decide(is_valid, "none").await;
    }
    assert_eq!(world.reports.outcomes("agrees") + world.reports.outcomes("differs"), 0);
    world.reports.assert_silent().await;
    let named = world.reports.lines.count("endpoint gives no second opinion; check it");
    assert_eq!(named, usize::from(is_named), "{}", world.reports.lines.text());
    if conduct == Conduct::Passthrough {
        assert_eq!(world.asked(), 0, "it accepts everything");
    }
}

#[rstest]
#[case::not_there_yet(SupervisorError::Future { what: "block 7".to_owned() })]
#[case::an_outage(SupervisorError::Unanswered { what: "block 7".to_owned() })]
#[case::to_be_replaced(SupervisorError::AwaitingReplacement { chain_id: ChainId::from(CHAIN), number: 1 })]
// A filter has no dependency set, and does not check when interop is active.
#[case::another_set(SupervisorError::UnknownChain { chain_id: ChainId::from(CHAIN) })]
#[case::before_interop(SupervisorError::Broken(crosscheck_core::validity::InvalidReason::NotActive {
    chain_id: ChainId::from(CHAIN), timestamp: UnixSeconds(1),
}))]
#[tokio::test]
async fn what_is_not_known_here_is_no_difference(#[case] own: SupervisorError) {
    let mut world = World::new(Conduct::Rejects).await;
    *world.own.instead.lock() = Some(own.clone());
    world.decide(true, "none").await;
    world.set(Conduct::Accepts);
    world.decide(true, "none").await;
    assert_eq!(world.reports.outcomes("differs"), 0);
    world.reports.assert_silent().await;
}

#[tokio::test]
async fn few_messages_are_asked_about_and_invalid_ones_first() {
    let mut messages = Messages::new();
    let mut sampler = Sampler::new(&messages.tracker.tracker().read());
    for number in 0..40 {
        messages.decide(number % 8 != 0);
    }
    let tracker = messages.tracker.tracker();
    let heights = |samples: Vec<sample::Sample>| {
        samples.iter().map(|sample| sample.key.block.number).collect::<Vec<_>>()
    };
    assert_eq!(heights(sampler.take(&tracker.read(), 8)), [34, 26, 18, 10, 41, 40, 39, 38]);
    assert_eq!(heights(sampler.take(&tracker.read(), 8)), [0; 0]);
    for is_valid in [false, false, false, true] {
        messages.decide(is_valid);
    }
    assert_eq!(heights(sampler.take(&tracker.read(), 2)), [44, 45]);
}

#[tokio::test]
async fn the_latest_of_many_messages_are_asked_about() {
    let mut messages = Messages::new();
    let mut sampler = Sampler::new(&messages.tracker.tracker().read());
    for _ in 0..1_100 {
        messages.decide(true);
    }
    messages.decide(false);
    let samples = sampler.take(&messages.tracker.tracker().read(), 3);
    let heights: Vec<u64> = samples.iter().map(|sample| sample.key.block.number).collect();
    assert_eq!(heights, [1_102, 1_101, 1_100]);
}
