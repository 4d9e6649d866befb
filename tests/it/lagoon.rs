//! Lagoon's activation on the public networks that are known by name: the real program watches OP Sepolia,
//! Unichain Sepolia and Ink Sepolia in one process, by their built-in facts, while the clock is moved over 10
//! December 2026.
//!
//! The chains are mocks with the networks' ids, genesis, block times, fork times and Lagoon's real upgrade
//! transactions. The program is told the time by a clock file, as a devnet tells it.

mod bundle;
mod member;
mod quick_start;
mod world;

use crate::program::{Running, Written, attestations, call, eventually, joined};
use crosscheck_core::message::{Identifier, Message, encode_access_list};
use crosscheck_devnet::contracts::EMITTER;
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use member::Followed;
use op_alloy::consensus::POST_EXEC_TX_TYPE_ID;
use serde_json::{Value, json};
use tempfile::TempDir;
use world::{INK, LAGOON, OP, UNICHAIN, World};

/// What is waited for at a checkpoint: time is stopped there.
struct Watch {
    rpc: String,
    followers: Vec<Followed>,
}

impl Watch {
    /// Waits until the program vouches for every chain up to its safe head, says nothing against any, and the
    /// followers have come as far.
    async fn keeps_up(&self, world: &World, safe: u64) {
        for (member, follower) in world.members.iter().zip(&self.followers) {
            let (chain, height) = (member.id(), member.height_at(safe));
            eventually(&format!("block {height} of chain {chain} to be vouched for"), async || {
                let status = call(&self.rpc, "crosscheck_status", &[]).await?;
                let chains = status["chains"].as_array()?;
                let of_chain = chains.iter().find(|it| it["chain_id"] == json!(chain))?;
                (status["ready"] == true && of_chain["vouched"].as_u64()? >= height).then_some(())
            })
            .await;
            eventually(&format!("the follower of chain {chain} to come to {height}"), async || {
                (follower.safe() >= height).then_some(())
            })
            .await;
        }
    }

    /// The verdict on a chain's block, and why it is that.
    async fn verdict(&self, chain: u64, number: u64) -> (Value, Value) {
        eventually(&format!("the verdict on block {number} of chain {chain}"), async || {
            let records = attestations(&self.rpc).await?;
            let record = records.iter().find(|it| is_of(it, chain, number))?;
            let message = record["messages"].as_array()?.first().cloned().unwrap_or_default();
            (record["verdict"] != "open").then(|| (record["verdict"].clone(), message["reason"].clone()))
        })
        .await
    }

    /// The code of the error with which a transaction's message is refused for good. `None`: it may be
    /// executed.
    async fn refusal(&self, message: &Message, executing: u64, timestamp: u64) -> Option<i32> {
        let client = HttpClientBuilder::default().build(&self.rpc).unwrap();
        let descriptor = json!({ "chainID": executing.to_string(), "timestamp": format!("{timestamp:#x}") });
        eventually("an answer that is final", async || {
            let params = rpc_params![encode_access_list(message), "unsafe", descriptor.clone()];
            match client.request::<Value, _>("interop_checkAccessList", params).await {
                Ok(_) => Some(None),
                Err(Error::Call(error)) if FINAL.contains(&error.code()) => Some(Some(error.code())),
                Err(_) => None,
            }
        })
        .await
    }
}

/// A message as if it were initiated in a block.
fn initiated_in(chain: u64, number: u64, timestamp: u64) -> Message {
    let identifier = Identifier {
        origin: EMITTER,
        block_number: number,
        log_index: 0,
        timestamp: UnixSeconds(timestamp),
        chain_id: ChainId::from(chain),
    };
    Message { identifier, payload_hash: alloy::primitives::keccak256("nothing") }
}

/// The code of a refusal for a broken rule.
const BROKEN: Option<i32> = Some(-320_600);
/// The code of a refusal for a chain that is not of the executing chain's set.
const UNKNOWN_CHAIN: Option<i32> = Some(-320_501);
/// The codes that stay: others say that nothing is known yet.
const FINAL: [i32; 2] = [-320_600, -320_501];

/// The three chains and the program, and their ids.
struct Run {
    world: World,
    watch: Watch,
    op: u64,
    unichain: u64,
    ink: u64,
}

/// Messages that were initiated before Lagoon, in its first block, and after it.
struct Messages {
    before: Message,
    in_first: Message,
    op_after: Message,
    unichain_after: Message,
    ink_after: Message,
}

#[tokio::test(flavor = "multi_thread")]
async fn three_sepolia_chains_pass_lagoon_in_one_process() {
    let dir = TempDir::new().unwrap();
    let mut world = World::start(dir.path()).await;
    // The chains were there before the program.
    world.advance(LAGOON - 31).await;
    let file = world.configure(dir.path()).await;
    let arguments = ["run", "--config", file.to_str().unwrap(), "--log-format", "json"];
    let program = Running::start(&arguments, &dir.path().join("sidecar.log"));
    let config = Written::wait_for(&file).await;
    let [op, unichain, ink] = [OP, UNICHAIN, INK].map(|place| world.members[place].id());
    joined(&config.rpc(), &[op, unichain, ink]).await;
    let watch = Watch { rpc: config.rpc(), followers: world.follow(&config.follow()) };
    let mut run = Run { world, watch, op, unichain, ink };
    let before = run.before().await;
    let messages = run.over_the_first_blocks(before).await;
    run.valid_messages(&messages).await;
    run.invalid_messages(&messages).await;
    assert!(program.terminate().success());
}

impl Run {
    fn initiated(&self, place: usize, time: u64) -> Message {
        let member = &self.world.members[place];
        member.message_of(member.height_at(time))
    }

    /// Before: blocks are upheld, and no message may be executed.
    async fn before(&mut self) -> Message {
        self.world.advance(LAGOON - 1).await;
        self.watch.keeps_up(&self.world, LAGOON - 11).await;
        let before = self.initiated(OP, LAGOON - 11);
        assert_eq!(self.watch.refusal(&before, self.unichain, LAGOON).await, BROKEN);
        before
    }

    /// The first blocks of Lagoon are upheld with their upgrade transactions, and the next without their gas.
    /// What is initiated before it or in it counts nowhere, what is initiated after it counts in the chain's
    /// own set.
    async fn over_the_first_blocks(&mut self, before: Message) -> Messages {
        self.world.advance(LAGOON + 21).await;
        self.watch.keeps_up(&self.world, LAGOON + 11).await;
        for (member, upgrades) in self.world.members.iter().zip([30, 30, 28]) {
            let first = member.height_at(LAGOON);
            assert!(member.block(first).transactions.len() > upgrades);
            for number in [first - 1, first, first + 1] {
                let (verdict, _) = self.watch.verdict(member.id(), number).await;
                assert_eq!(verdict, "upheld", "{} {number}", member.id());
            }
        }
        let messages = Messages {
            before,
            in_first: initiated_in(self.op, self.world.members[OP].height_at(LAGOON), LAGOON + 1),
            op_after: self.initiated(OP, LAGOON + 5),
            unichain_after: self.initiated(UNICHAIN, LAGOON + 5),
            ink_after: self.initiated(INK, LAGOON + 5),
        };
        for (message, executing, refusal) in [
            (&messages.before, self.unichain, BROKEN),
            (&messages.in_first, self.unichain, BROKEN),
            (&messages.op_after, self.unichain, None),
            (&messages.unichain_after, self.op, None),
            (&messages.ink_after, self.ink, None),
            (&messages.ink_after, self.op, UNKNOWN_CHAIN),
            (&messages.op_after, self.ink, UNKNOWN_CHAIN),
        ] {
            let found = self.watch.refusal(message, executing, LAGOON + 23).await;
            assert_eq!(found, refusal, "{:?} on {executing}", message.identifier);
        }
        messages
    }

    /// Valid messages both ways, and of Ink to itself, in blocks that their sequencers meter.
    async fn valid_messages(&mut self, messages: &Messages) {
        self.world.execute(OP, messages.unichain_after);
        self.world.execute(UNICHAIN, messages.op_after);
        self.world.execute(INK, messages.ink_after);
        self.world.advance(LAGOON + 41).await;
        self.watch.keeps_up(&self.world, LAGOON + 31).await;
        let records = attestations(&self.watch.rpc).await.unwrap();
        for member in &self.world.members {
            let (chain, number) = (member.id(), member.height_at(LAGOON + 22));
            let metering = member.block(number).raw_transactions.last().unwrap()[0];
            assert_eq!(metering, POST_EXEC_TX_TYPE_ID, "{chain} {number}");
            let record = records.iter().find(|it| is_of(it, chain, number)).unwrap();
            let messages = record["messages"].as_array().unwrap();
            assert_eq!((&record["verdict"], messages.len()), (&json!("upheld"), 1), "{record}");
            assert_eq!(messages[0]["status"], "valid", "{record}");
        }
    }

    /// Blocks that execute what counts nowhere are found, each for its own reason, and nothing else is. Ink
    /// shares no set with either: its follower continues to the end, theirs end before the blocks that are
    /// invalid.
    async fn invalid_messages(&mut self, messages: &Messages) {
        let mut violated = Vec::new();
        for (place, message, reason) in [
            (OP, messages.ink_after, "unknown-chain"),
            (UNICHAIN, messages.in_first, "not-active"),
            (UNICHAIN, messages.before, "not-active"),
        ] {
            let member = &self.world.members[place];
            violated.push((member.id(), member.block_number() + 1, reason));
            self.world.execute(place, message);
            self.world.advance(self.world.now() + 2).await;
        }
        self.world.advance(LAGOON + 71).await;
        for (chain, number, reason) in &violated {
            let found = self.watch.verdict(*chain, *number).await;
            assert_eq!(found, (json!("violated"), json!(reason)), "{chain} {number}");
        }
        for member in &self.world.members {
            for record in self.decided(member.id(), member.height_at(LAGOON + 61)).await {
                let is_bad = violated.iter().any(|(chain, number, _)| is_of(&record, *chain, *number));
                assert_eq!(record["verdict"], if is_bad { "violated" } else { "upheld" }, "{record}");
            }
        }
        let last = self.world.members[INK].height_at(LAGOON + 61);
        let followers = &self.watch.followers;
        eventually("Ink's follower", async || (followers[INK].safe() >= last).then_some(())).await;
        assert_eq!(followers[OP].safe(), violated[0].1 - 1);
        assert_eq!(followers[UNICHAIN].safe(), violated[1].1 - 1);
    }

    /// The blocks of a chain that were judged, once all are, up to this one at least.
    async fn decided(&self, chain: u64, last: u64) -> Vec<Value> {
        eventually("every verdict", async || {
            let mut records = attestations(&self.watch.rpc).await?;
            records.retain(|record| record["chain_id"] == json!(chain));
            let is_last = |record: &Value| record["number"].as_u64() >= Some(last);
            let is_done = records.iter().any(is_last) && records.iter().all(|it| it["verdict"] != "open");
            is_done.then_some(records)
        })
        .await
    }
}

/// Whether a record is of this block.
fn is_of(record: &Value, chain: u64, number: u64) -> bool {
    record["chain_id"] == json!(chain) && record["number"] == json!(number)
}
