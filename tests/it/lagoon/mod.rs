//! Lagoon's activation on the public networks that are known by name: the real program watches OP Sepolia, Unichain
//! Sepolia and Ink Sepolia in one process, by their built-in facts, while the clock is moved over 10 December 2026.
//!
//! The chains are mocks with the networks' ids, genesis, block times, fork times and Lagoon's real upgrade transactions. The
//! program is told the time by a clock file, as a devnet tells it.

mod bundle;
mod member;
mod world;

use crate::program::{Running, Written, attestations, call, eventually, joined};
use crosscheck::devnet::contracts::EMITTER;
use crosscheck::interop::{Identifier, Message, encode_access_list};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use member::Followed;
use op_alloy::consensus::POST_EXEC_TX_TYPE_ID;
use serde_json::{Value, json};
use tempfile::TempDir;
use world::{INK, LAGOON, OP, UNICHAIN, World};

/// What is waited for at a checkpoint: time stands still there.
struct Watch {
    rpc: String,
    followers: Vec<Followed>,
}

impl Watch {
    /// Waits until the program vouches for every chain up to its safe head, says nothing against any, and the followers
    /// have come as far.
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
            let of_block = |it: &&Value| it["chain_id"] == json!(chain) && it["number"] == json!(number);
            let record = records.iter().find(of_block)?;
            let message = record["messages"].as_array()?.first().cloned().unwrap_or_default();
            (record["verdict"] != "open").then(|| (record["verdict"].clone(), message["reason"].clone()))
        })
        .await
    }

    /// The code of the error with which a transaction's message is refused for good. `None`: it may be executed.
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

#[tokio::test(flavor = "multi_thread")]
async fn three_sepolia_chains_pass_lagoon_in_one_process() {
    let dir = TempDir::new().unwrap();
    let mut world = World::start(dir.path()).await;
    // The chains were there before the program.
    world.advance(LAGOON - 31).await;
    let file = world.configure(dir.path()).await;
    let arguments = ["run", "--config", file.to_str().unwrap(), "--log-format", "json"];
    let log = dir.path().join("sidecar.log");
    let program = Running::start(&arguments, &log);
    let config = Written::wait_for(&file).await;
    let [op, unichain, ink] = [OP, UNICHAIN, INK].map(|place| world.members[place].id());
    joined(&config.rpc(), &[op, unichain, ink]).await;
    let watch = Watch { rpc: config.rpc(), followers: world.follow(&config.follow()) };

    // Before: blocks are upheld, and no message may be executed.
    world.advance(LAGOON - 1).await;
    watch.keeps_up(&world, LAGOON - 11).await;
    let before = world.members[OP].message_of(world.members[OP].height_at(LAGOON - 11));
    assert_eq!(watch.refusal(&before, unichain, LAGOON).await, BROKEN);

    // The first blocks of Lagoon are upheld with their upgrade transactions, and the next without their gas.
    world.advance(LAGOON + 21).await;
    watch.keeps_up(&world, LAGOON + 11).await;
    for (member, upgrades) in world.members.iter().zip([30, 30, 28]) {
        let first = member.height_at(LAGOON);
        assert!(member.block(first).transactions.len() > upgrades);
        for number in [first - 1, first, first + 1] {
            assert_eq!(watch.verdict(member.id(), number).await.0, "upheld", "{} {number}", member.id());
        }
    }
    // What is initiated before it or in it counts nowhere, what is initiated after it counts in the chain's own set.
    let op_first = world.members[OP].height_at(LAGOON);
    let of = |place: usize, time: u64| {
        let member: &member::Member = &world.members[place];
        member.message_of(member.height_at(time))
    };
    let in_first = initiated_in(op, op_first, LAGOON + 1);
    let [op_after, uni_after, ink_after] = [OP, UNICHAIN, INK].map(|place| of(place, LAGOON + 5));
    let soon = LAGOON + 23;
    for (message, executing, refusal) in [
        (&before, unichain, BROKEN),
        (&in_first, unichain, BROKEN),
        (&op_after, unichain, None),
        (&uni_after, op, None),
        (&ink_after, ink, None),
        (&ink_after, op, UNKNOWN_CHAIN),
        (&op_after, ink, UNKNOWN_CHAIN),
    ] {
        let found = watch.refusal(message, executing, soon).await;
        assert_eq!(found, refusal, "{:?} on {executing}", message.identifier);
    }

    // Valid messages both ways, and of Ink to itself, in blocks that their sequencers meter.
    world.execute(OP, uni_after);
    world.execute(UNICHAIN, op_after);
    world.execute(INK, ink_after);
    world.advance(soon).await;
    let executing = world.members.iter().map(|member| (member.id(), member.height_at(LAGOON + 22)));
    let executing: Vec<_> = executing.collect();
    world.advance(LAGOON + 41).await;
    watch.keeps_up(&world, LAGOON + 31).await;
    for (member, (chain, number)) in world.members.iter().zip(executing) {
        let metering = member.block(number).raw_transactions.last().unwrap()[0];
        assert_eq!(metering, POST_EXEC_TX_TYPE_ID, "{chain} {number}");
        let records = attestations(&watch.rpc).await.unwrap();
        let of_block = |it: &&Value| it["chain_id"] == json!(chain) && it["number"] == json!(number);
        let record = records.iter().find(of_block).unwrap();
        let messages = record["messages"].as_array().unwrap();
        assert_eq!((&record["verdict"], messages.len()), (&json!("upheld"), 1), "{record}");
        assert_eq!(messages[0]["status"], "valid", "{record}");
    }

    // Blocks that execute what counts nowhere are found, each for its own reason, and nothing else is.
    let mut violated = Vec::new();
    for (place, message, reason) in [
        (OP, ink_after, "unknown-chain"),
        (UNICHAIN, in_first, "not-active"),
        (UNICHAIN, before, "not-active"),
    ] {
        let member = &world.members[place];
        let number = member.block_number() + 1;
        violated.push((member.id(), number, reason));
        world.execute(place, message);
        world.advance(world.now() + 2).await;
    }
    world.advance(LAGOON + 71).await;
    for (chain, number, reason) in &violated {
        let found = watch.verdict(*chain, *number).await;
        assert_eq!(found, (json!("violated"), json!(reason)), "{chain} {number}");
    }
    // Every other block is judged for itself, after them too.
    for member in &world.members {
        let last = member.height_at(LAGOON + 61);
        let records = eventually("every verdict", async || {
            let records = attestations(&watch.rpc).await?;
            let of_chain: Vec<_> =
                records.into_iter().filter(|it| it["chain_id"] == json!(member.id())).collect();
            let is_last = |it: &Value| it["number"].as_u64() >= Some(last);
            let is_done = of_chain.iter().any(is_last) && of_chain.iter().all(|it| it["verdict"] != "open");
            is_done.then_some(of_chain)
        })
        .await;
        for record in records {
            let is_bad = violated.iter().any(|(chain, number, _)| {
                record["chain_id"] == json!(chain) && record["number"] == json!(number)
            });
            assert_eq!(record["verdict"], if is_bad { "violated" } else { "upheld" }, "{record}");
        }
    }
    // Ink shares no set with either: its follower goes on to the end, theirs end before the blocks that do not hold.
    let ink_last = world.members[INK].height_at(LAGOON + 61);
    eventually("Ink's follower", async || (watch.followers[INK].safe() >= ink_last).then_some(())).await;
    assert_eq!(watch.followers[OP].safe(), violated[0].1 - 1);
    assert_eq!(watch.followers[UNICHAIN].safe(), violated[1].1 - 1);
    assert!(program.terminate().success());
}
