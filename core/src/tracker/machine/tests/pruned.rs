//! Blocks that are no longer in a view, and messages that still depend on them.

use super::scene::{Scene, claim};
use super::world::{Shape, chain};
use crate::tracker::{Input, Request};
use std::sync::Arc;

/// A block is final, and so is all that it cites: it is forgotten. A block of its timestamp that cites it is not final.
#[test]
fn a_message_that_cites_a_forgotten_block_of_its_timestamp_stays_valid() {
    let mut scene = Scene::new(4);
    scene.tracker.kept_below_finalized = 0;
    let awaited = scene.world.make(chain(3), &Shape::default());
    scene.tracker.apply(Input::Block(Arc::clone(&awaited)));
    scene.grow(2, &[]);
    scene.grow(1, &[claim(2, 1, 1)]);
    let (citing, outcome) = scene.grow(0, &[claim(1, 1, 1), claim(3, 1, 1)]);
    let request = Request::Logs(awaited.key);
    assert_eq!(outcome.requests, [request]);
    assert_eq!((scene.status(citing, 0), scene.status(citing, 2)), ("valid", "unknown"));
    for of in [2, 1] {
        (0..2).for_each(|_| drop(scene.grow(of, &[])));
        scene.finalize(of, 3);
    }
    assert!(scene.tracker.chain(chain(1)).unwrap().block(1).is_none(), "it is forgotten");
    let logs = Arc::clone(&scene.world.logs[&awaited.key.hash]);
    scene.tracker.apply(Input::Answer { request, logs });
    assert_eq!((scene.status(citing, 0), scene.status(citing, 2)), ("valid", "valid"));
}
