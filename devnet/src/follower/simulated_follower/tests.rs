//! A follower over sockets: a source that says what the test has it say, and the devnet's own execution
//! client.

use super::*;
use crate::chain::L2Block;
use crate::fixture::Fixture;
use crate::serve::{ChainStore, RunningServer, execution_module, start};
use crate::simulation::ChainTick;
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use serde_json::{Value, json};

struct World {
    said: Arc<Mutex<Option<Value>>>,
    follower: SimulatedFollower,
    blocks: Vec<Arc<L2Block>>,
    _servers: [RunningServer; 2],
}

fn reference(block: &L2Block) -> Value {
    json!({
        "hash": block.hash,
        "number": block.number(),
        "parentHash": block.header.parent_hash,
        "timestamp": block.header.timestamp,
        "l1origin": { "hash": block.l1_origin.hash, "number": block.l1_origin.number },
        "sequenceNumber": block.sequence_number,
    })
}

impl World {
    /// A chain of eight blocks that its execution client has, and a follower that has heard of none.
    async fn new() -> Self {
        let mut fixture = Fixture::new(7);
        let mut store = ChainStore::new(901, Arc::clone(fixture.chain.genesis()));
        let mut blocks = vec![Arc::clone(fixture.chain.genesis())];
        blocks.extend((0..8).map(|_| fixture.extend(&[])));
        store.apply(&ChainTick { built: blocks[1..].to_vec(), ..ChainTick::idle(901) });
        let said = Arc::new(Mutex::new(None));
        let mut module = RpcModule::new(Arc::clone(&said));
        let not_ready = || ErrorObjectOwned::owned(-32_000, "not ready", None::<()>);
        module
            .register_method("optimism_syncStatus", move |_, said, _| {
                said.lock().clone().ok_or_else(not_ready)
            })
            .unwrap();
        let source = start(module).await.unwrap();
        let execution = start(execution_module(Arc::new(RwLock::new(store))).unwrap()).await.unwrap();
        let endpoints = FollowerEndpoints {
            source: source.url(),
            execution: execution.url(),
            l1: Arc::new(RwLock::new(fixture.l1.clone())),
        };
        let genesis = ServedL2Ref::of_block(&blocks[0]);
        let follower = SimulatedFollower::new(endpoints, genesis, Some(0), Arc::default()).unwrap();
        Self { said, follower, blocks, _servers: [source, execution] }
    }

    async fn say(&mut self, finalized: usize, safe: usize, local_safe: usize) {
        let l1 = self.follower.l1.read().head().id();
        *self.said.lock() = Some(json!({
            "current_l1": { "hash": l1.hash, "number": l1.number },
            "unknown_field": 1,
            "safe_l2": reference(&self.blocks[safe]),
            "local_safe_l2": reference(&self.blocks[local_safe]),
            "finalized_l2": reference(&self.blocks[finalized]),
        }));
        self.follower.poll().await;
    }

    fn heads(&self) -> (u64, u64, u64) {
        let node = &self.follower.node;
        (node.finalized().number, node.safe().number, self.follower.store.head().number)
    }

    fn report(&self) -> super::super::FollowerReport {
        self.follower.behaviour.lock().report(901, Some(7))
    }
}

#[tokio::test]
async fn a_follower_catches_up_and_goes_where_it_is_led() {
    let mut world = World::new().await;
    world.follower.poll().await;
    assert_eq!(world.heads(), (0, 0, 0), "the source is not ready");
    world.say(1, 2, 4).await;
    assert_eq!(world.heads(), (1, 2, 4));
    world.say(2, 5, 6).await;
    assert_eq!(world.heads(), (2, 5, 6));
    assert!(world.report().is_sound());
    assert_eq!((world.report().safe, world.report().finalized), (5, 2));
}

#[tokio::test]
async fn statuses_that_are_refused_or_move_back_are_recorded() {
    let mut world = World::new().await;
    world.say(1, 5, 4).await;
    world.say(5, 4, 6).await;
    assert_eq!((world.heads(), world.report().rejected_statuses), ((0, 0, 0), 2));
    world.say(1, 5, 6).await;
    assert!(!world.report().went_backwards);
    world.say(1, 4, 6).await;
    assert_eq!(world.heads(), (1, 5, 6), "the follower itself stays");
    assert!(world.report().went_backwards);
}

#[tokio::test]
async fn going_beyond_a_violation_and_leaving_its_own_chain_are_recorded() {
    let mut world = World::new().await;
    world.say(1, 6, 6).await;
    assert!(world.report().is_sound());
    world.say(1, 7, 8).await;
    assert!(world.report().beyond_violation);
    // A cross-safe block that is not an ancestor of the derived head.
    let mut other = Arc::unwrap_or_clone(Arc::clone(&world.blocks[8]));
    other.hash = B256::repeat_byte(9);
    world.blocks.push(Arc::new(other));
    assert!(!world.report().left_honest_chain);
    world.say(1, 9, 8).await;
    assert!(world.report().left_honest_chain);
}

#[tokio::test]
async fn being_led_onto_a_block_that_was_reported_invalid_is_recorded() {
    let mut world = World::new().await;
    let said = |world: &World, number: usize, is_invalid: bool| {
        let block = &world.blocks[number];
        let invalid = is_invalid.then_some((block.number(), block.hash));
        world.follower.behaviour.lock().set_invalid(invalid.into_iter().collect());
    };
    world.say(1, 2, 5).await;
    said(&world, 4, true);
    world.say(1, 2, 3).await;
    assert!(world.report().is_sound(), "what was before is no fault, nor what is below");
    said(&world, 4, false);
    world.say(1, 2, 5).await;
    assert!(world.report().is_sound(), "it holds after all");
    said(&world, 4, true);
    world.say(1, 2, 5).await;
    assert!(world.report().led_onto_invalid && !world.report().is_sound());
}

#[tokio::test]
async fn a_head_that_no_node_has_is_not_followed() {
    let mut world = World::new().await;
    let mut other = Arc::unwrap_or_clone(Arc::clone(&world.blocks[8]));
    other.hash = B256::repeat_byte(9);
    world.blocks[8] = Arc::new(other);
    world.say(1, 2, 8).await;
    assert_eq!(world.heads(), (0, 0, 0));
}
