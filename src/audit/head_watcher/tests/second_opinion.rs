//! Whether the rollup node derives what it says, and how that is reported.

use super::*;

/// How a warning begins of anyone who reports it.
const WARNED: &str = "WARN crosscheck::audit::second_opinion: ";

const SECOND: &str = "no independent second opinion";

fn repeats(conduct: &mut crate::sources::scripted_node::NodeBehaviour) {
    (conduct.safe_heads, conduct.repeats) = (Some([].into()), true);
}

/// It follows a source, is started again as one that derives the chain, and follows a source again.
#[tokio::test]
async fn a_node_that_repeats_the_answers_of_its_source_is_reported_once_and_again_when_it_stops() {
    let world = World::new(None).await;
    world.nodes[0].change(repeats);
    world.set(Some(at([9, 8, 7, 6])));
    world.until_ready().await;
    let opinion = |world: &World| world.heads.second_opinion(CHAIN.into());
    world.until("its source's word", |world| opinion(world) == SecondOpinion::Repeated).await;
    world
        .until("the gauge", |world| world.gauge("crosscheck_second_opinion_repeated{chain_id=\"901\"} 1"))
        .await;
    assert_eq!((world.lines.with(SECOND), world.lines.with(WARNED)), (1, 1));
    assert!(world.gauge("crosscheck_second_opinion_repeated{chain_id=\"901\"} 1"));
    world.set(None);
    world.until_reported("down").await;
    world.nodes[0].change(|conduct| (conduct.safe_heads, conduct.repeats) = (Some([(0, 0)].into()), false));
    world.set(Some(at([10, 9, 8, 7])));
    world.until("its own word", |world| opinion(world) == SecondOpinion::default()).await;
    world.until_ready().await;
    world
        .until("the gauge", |world| world.gauge("crosscheck_second_opinion_repeated{chain_id=\"901\"} 0"))
        .await;
    assert_eq!(world.lines.with("it is a second opinion"), 1);
    world.set(None);
    world.until_reported("down").await;
    world.nodes[0].change(repeats);
    world.set(Some(at([11, 10, 9, 8])));
    world.until("its source's word", |world| opinion(world) == SecondOpinion::Repeated).await;
    world.until_ready().await;
    assert_eq!((world.lines.with(SECOND), world.lines.with(WARNED)), (2, 2));
}

#[tokio::test]
async fn after_a_failover_the_other_node_is_asked_whether_it_derives_its_chain() {
    let world = World::of([Some(at([9, 8, 7, 6])), Some(at([10, 9, 8, 7]))]).await;
    world.nodes[1].change(repeats);
    world.until_heights([9, 8, 7, 6]).await;
    let opinion = |world: &World| world.heads.second_opinion(CHAIN.into());
    world.until("its own word", |world| opinion(world) == SecondOpinion::default()).await;
    world.set(None);
    world.until_heights([10, 9, 8, 7]).await;
    world.until("its source's word", |world| opinion(world) == SecondOpinion::Repeated).await;
    world.set(Some(at([11, 10, 9, 8])));
    world.until("its own word", |world| opinion(world) == SecondOpinion::default()).await;
}

/// As after execution-layer sync, of a node that verifies messages.
#[tokio::test]
async fn blocks_that_a_node_started_from_are_not_its_own_derivation() {
    let world = World::new(None).await;
    world.nodes[0].change(|conduct| {
        (conduct.safe_heads, conduct.is_supernode) = (Some([(20, 5), (39, 8)].into()), true);
    });
    world.set(Some(at([9, 8, 7, 6])));
    let opinion = |world: &World| world.heads.second_opinion(CHAIN.into());
    world.until("its own word", |world| !opinion(world).covers(5) && opinion(world).covers(6)).await;
    assert_eq!(world.lines.with(SECOND), 0);
    // Blocks are two seconds apart, and block 8 is of second 8.
    let means = |timestamp| world.heads.safe_means_at(CHAIN.into(), UnixSeconds(timestamp));
    assert_eq!([2, 3].map(means), [SafeMeans::LocalSafe, SafeMeans::CrossSafe]);
}
