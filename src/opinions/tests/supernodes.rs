//! Super roots of op-supernodes.

use super::*;
use rstest::rstest;

/// Up to when every chain is final.
const FINAL: u64 = 1_000;

/// The height of the block at that time.
const NUMBER: u64 = 500;

/// The own super roots. Output roots are this byte.
#[derive(Clone)]
struct Own(Arc<OwnState>);

struct OwnState {
    finalized: AtomicU64,
    is_set_known: AtomicBool,
    root: u8,
}

impl OwnRoots for Own {
    fn is_set(&self, chains: &BTreeSet<ChainId>) -> Result<bool, SupervisorError> {
        match self.0.is_set_known.load(Ordering::Relaxed) {
            true => Ok(*chains == [ChainId::from(CHAIN)].into()),
            false => Err(SupervisorError::Uninitialized { what: "the dependency set".to_owned() }),
        }
    }

    async fn finalized(&self, _chains: &BTreeSet<ChainId>) -> Result<UnixSeconds, SupervisorError> {
        Ok(UnixSeconds(self.0.finalized.load(Ordering::Relaxed)))
    }

    async fn super_root(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<Option<OwnSuperRoot>, SupervisorError> {
        let output_root = B256::repeat_byte(self.0.root);
        let output = |chain_id| {
            let block = BlockKey { chain_id, number: NUMBER, hash: B256::repeat_byte(9) };
            OwnOutput { block, output_root }
        };
        let outputs = chains.iter().map(|chain_id| (*chain_id, output_root)).collect();
        let super_root = super_root(timestamp, &outputs);
        let chains = chains.iter().map(|chain_id| (*chain_id, output(*chain_id))).collect();
        Ok(Some(OwnSuperRoot { timestamp, super_root, chains, is_interop: true }))
    }
}

/// What an op-supernode answers.
struct Conduct {
    /// The chains that it runs. `None`: it is a plain op-node.
    chains: Option<Vec<u64>>,
    data: Data,
    /// After which height it has derived the chain. `None`: it keeps no record.
    derived_after: Option<u64>,
    /// The timestamps that were asked for.
    asked: Vec<u64>,
}

/// What it has for a timestamp.
#[derive(Clone, Copy)]
enum Data {
    /// Super roots of these output roots.
    Root(u8),
    /// Another one when it is asked for the first time.
    OnceAnother(u8),
    /// Another one each time.
    NeverTheSame,
    /// Super roots of other output roots than those that it names.
    Inconsistent,
    NotYet,
    Error,
    Html,
    Hang,
}

impl Conduct {
    fn answer(&self, timestamp: u64) -> Result<Value, ErrorObjectOwned> {
        let times = self.asked.len();
        let root = match self.data {
            Data::Root(root) => root,
            Data::OnceAnother(root) => root ^ u8::from(times == 1),
            Data::NeverTheSame => u8::try_from(times % 200).unwrap() + 50,
            Data::Inconsistent => 1,
            Data::NotYet => return Ok(json!({ "current_l1": { "number": 40 }, "data": null })),
            Data::Error => return Err(refusal(-32_603, "read verifiedDB: it is resetting")),
            Data::Html | Data::Hang => return Ok(json!("<html>")),
        };
        let output = B256::repeat_byte(root);
        let id = ChainId::from(CHAIN);
        let mut root = super_root(UnixSeconds(timestamp), &[(id, output)].into());
        if matches!(self.data, Data::Inconsistent) {
            root = B256::ZERO;
        }
        let preimage = json!({
            "timestamp": U64::from(timestamp), "chains": [{ "ChainID": CHAIN.to_string(), "Output": output }],
        });
        Ok(json!({
            "current_l1": { "hash": B256::ZERO, "number": 40 },
            "data": { "super_root": root, "super": preimage },
        }))
    }

    fn record(&self, l1: u64) -> Result<Value, ErrorObjectOwned> {
        let after = self.derived_after.ok_or_else(|| refusal(-32_000, "safe head database not enabled"))?;
        if l1 < 30 {
            return Err(refusal(-32_000, "safe head not found"));
        }
        let hash = B256::repeat_byte(3);
        Ok(json!({
            "l1Block": { "hash": hash, "number": 30 }, "safeHead": { "hash": hash, "number": after },
        }))
    }
}

type Shared = Arc<Mutex<Conduct>>;

async fn served(conduct: Shared) -> RunningServer {
    let mut module = RpcModule::new(conduct);
    module
        .register_method("supernode_syncStatus", |_, conduct, _| {
            let chains = conduct.lock().chains.clone();
            let chains = chains.ok_or_else(|| refusal(-32_601, "the method does not exist"))?;
            let chains: Vec<String> = chains.iter().map(ToString::to_string).collect();
            Ok::<_, ErrorObjectOwned>(json!({ "chain_ids": chains }))
        })
        .unwrap();
    module
        .register_async_method("superroot_atTimestamp", |params, conduct, _| async move {
            let [timestamp] = params.parse::<[U64; 1]>().unwrap();
            let is_hanging = {
                let mut conduct = conduct.lock();
                conduct.asked.push(timestamp.to());
                matches!(conduct.data, Data::Hang)
            };
            if is_hanging {
                std::future::pending::<()>().await;
            }
            conduct.lock().answer(timestamp.to())
        })
        .unwrap();
    module
        .register_method("optimism_safeHeadAtL1Block", |params, conduct, _| {
            let [l1] = params.parse::<[U64; 1]>().unwrap();
            conduct.lock().record(l1.to())
        })
        .unwrap();
    start(module).await.unwrap()
}

struct World {
    conduct: Shared,
    own: Own,
    reports: Reports,
    _server: RunningServer,
}

impl World {
    async fn new(data: Data) -> Self {
        Self::of(Conduct { chains: Some(vec![CHAIN]), data, derived_after: Some(7), asked: Vec::new() }).await
    }

    async fn of(conduct: Conduct) -> Self {
        // Who never answers is given up at once; anything else is waited for.
        let timeout = if matches!(conduct.data, Data::Hang) { Duration::from_millis(250) } else { DEADLINE };
        let conduct = Arc::new(Mutex::new(conduct));
        let server = served(Arc::clone(&conduct)).await;
        let mut reports = Reports::new(EndpointKind::Supernode, EndpointNames::default()).await;
        let supernode = Supernode::new(server.url().parse().unwrap(), limits(timeout)).unwrap();
        let own = Own(Arc::new(OwnState {
            finalized: AtomicU64::new(FINAL),
            is_set_known: AtomicBool::new(true),
            root: 1,
        }));
        let watcher = SupernodeWatcher::new(supernode, own.clone(), reports.endpoint.clone());
        reports.tasks.spawn(async move { watcher.run(CancellationToken::new()).await.unwrap() });
        Self { conduct, own, reports, _server: server }
    }

    fn set(&self, data: Data) {
        self.conduct.lock().data = data;
    }
}

#[tokio::test]
async fn who_agrees_is_not_reported() {
    let world = World::new(Data::Root(1)).await;
    world.reports.until_more("agrees", 3).await;
    assert_eq!(world.conduct.lock().asked.first(), Some(&FINAL));
    world.reports.assert_silent().await;
}

#[tokio::test]
async fn a_difference_is_reported_once_until_they_agree_again() {
    let world = World::new(Data::Root(2)).await;
    world.reports.until_line("super root of an op-supernode differs").await;
    world.own.0.finalized.store(FINAL + 2, Ordering::Relaxed);
    world.reports.until_more("differs", 3).await;
    let [event] = world.reports.events().await.try_into().unwrap();
    assert_eq!((&event["kind"], &event["timestamp"]), (&json!("super-roots-differ"), &json!(FINAL)));
    assert_eq!((&event["block"]["chain_id"], &event["block"]["number"]), (&json!(CHAIN), &json!(NUMBER)));
    let of = |root| super_root(UnixSeconds(FINAL), &[(ChainId::from(CHAIN), B256::repeat_byte(root))].into());
    let answers = [("crosscheck", 1), ("supernode #0", 2)].map(|(by, root)| {
        let output = json!({ "chain_id": CHAIN, "output_root": B256::repeat_byte(root) });
        json!({ "by": by, "super_root": of(root), "outputs": [output] })
    });
    assert_eq!(event["answers"], json!(answers));
    assert!(world.reports.differ());
    assert_eq!(world.reports.lines.count("super root of an op-supernode differs"), 1);

    world.set(Data::Root(1));
    world.reports.until_line("second opinion agrees again").await;
    assert!(!world.reports.differ());
    world.set(Data::Root(3));
    let said = "super root of an op-supernode differs";
    world.reports.until("a second difference", |reports| reports.lines.count(said) == 2).await;
    assert_eq!(world.reports.events().await.len(), 2);
}

#[tokio::test]
async fn a_difference_is_confirmed_at_the_same_timestamp() {
    let world = World::new(Data::NotYet).await;
    world.reports.until_more("none", 1).await;
    world.conduct.lock().asked.clear();
    world.set(Data::Root(2));
    world.reports.until("the difference", Reports::differ).await;
    assert!(world.conduct.lock().asked.starts_with(&[FINAL, FINAL]));
}

#[rstest]
#[case::once(Data::OnceAnother(1), "agrees")]
#[case::each_time_another(Data::NeverTheSame, "differs")]
#[tokio::test]
async fn a_difference_that_is_not_found_again_is_not_reported(#[case] data: Data, #[case] outcome: &str) {
    let world = World::new(data).await;
    world.reports.until_more(outcome, 4).await;
    assert!(world.reports.outcomes("differs") >= 1);
    world.reports.assert_silent().await;
}

#[tokio::test]
async fn one_that_lags_has_no_opinion_and_is_not_named() {
    let world = World::new(Data::NotYet).await;
    world.reports.until_more("none", 3).await;
    world.reports.assert_silent().await;
    assert_eq!(world.reports.lines.count("gives no second opinion"), 0);
}

#[rstest]
#[case::an_error(Data::Error, "it is resetting")]
#[case::html(Data::Html, "invalid data")]
#[case::no_answer(Data::Hang, "timed out")]
#[case::not_what_it_names(
    Data::Inconsistent,
    "its super root is not that of the output roots which it names"
)]
#[tokio::test]
async fn one_that_fails_is_named_until_it_answers(#[case] data: Data, #[case] problem: &str) {
    let world = World::new(data).await;
    world.reports.until_more("none", 3).await;
    world.reports.assert_silent().await;
    let said = world.reports.lines.text();
    assert_eq!(world.reports.lines.count("endpoint gives no second opinion; check it"), 1, "{said}");
    assert!(said.contains(problem), "{said}");
    world.set(Data::NotYet);
    world.reports.until_line("endpoint can give second opinions again").await;
}

/// What it answers differs, and is of blocks that nobody verified.
#[rstest]
#[case::a_plain_op_node(None, Some(7), "it is not an op-supernode")]
#[case::of_other_chains(Some(vec![CHAIN, 902]), Some(7), "it runs chains 901, 902")]
#[case::of_no_chains(Some(vec![]), Some(7), "it runs no chain")]
#[case::taken_over(Some(vec![CHAIN]), Some(NUMBER), "")]
#[case::before_it_began(Some(vec![CHAIN]), Some(NUMBER + 9), "")]
#[case::without_a_record(Some(vec![CHAIN]), None, "")]
#[tokio::test]
async fn what_was_not_verified_is_no_opinion(
    #[case] chains: Option<Vec<u64>>,
    #[case] derived_after: Option<u64>,
    #[case] problem: &str,
) {
    let conduct = Conduct { chains, data: Data::Root(2), derived_after, asked: Vec::new() };
    let world = World::of(conduct).await;
    world.reports.until_more("none", 3).await;
    assert_eq!(world.reports.outcomes("differs"), 0);
    world.reports.assert_silent().await;
    let is_named = world.reports.lines.count("endpoint gives no second opinion; check it") == 1;
    assert_eq!(is_named, !problem.is_empty());
    assert!(world.reports.lines.text().contains(problem));
}

#[tokio::test]
async fn while_nothing_is_final_nobody_is_asked() {
    let world = World::new(Data::Root(2)).await;
    world.own.0.finalized.store(0, Ordering::Relaxed);
    world.reports.until_more("none", 3).await;
    world.conduct.lock().asked.clear();
    world.reports.until_more("none", 3).await;
    assert!(world.conduct.lock().asked.is_empty());
}

#[tokio::test]
async fn a_dependency_set_that_is_not_known_here_is_no_fault_of_the_supernode() {
    let world = World::new(Data::Root(2)).await;
    world.own.0.is_set_known.store(false, Ordering::Relaxed);
    world.reports.until_more("none", 3).await;
    world.reports.assert_silent().await;
    assert_eq!(world.reports.lines.count("gives no second opinion"), 0, "{}", world.reports.lines.text());
}
