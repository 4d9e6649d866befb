//! Blocks that are no longer in a view, and messages that still depend on them.

use super::scene::{Scene, claim};
use super::world::{Claim, Payload, Shape, chain};
use crate::tracker::{Input, Request};
use std::sync::Arc;

/// A block is final, and so is all that it cites: it is forgotten. A block of its timestamp that cites it is
/// not final.
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

/// A node that does not verify messages calls an invalid block final. Nothing may rest on it all the same.
#[test]
fn an_invalid_block_stops_what_rests_on_it_also_below_the_view() {
    let mut scene = Scene::new(2);
    scene.tracker.kept_below_finalized = 0;
    let wrong = Claim { payload: Payload::Wrong, ..claim(1, 0, 1) };
    let (invalid, _) = scene.grow(0, &[wrong]);
    scene.grow(0, &[]);
    let later = Claim { chain: 1, number: 9, ..wrong };
    let (unknown, _) = scene.grow(0, &[later]);
    let stop = |scene: &Scene, from| {
        let view = scene.tracker.chain(chain(0)).unwrap();
        view.first_not_valid(from).map(|block| block.key)
    };
    assert_eq!(
        [0, 1, 2, 3, 4].map(|from| stop(&scene, from)),
        [Some(invalid), Some(invalid), Some(unknown), Some(unknown), None]
    );
    scene.finalize(1, 0);
    scene.finalize(0, 2);
    assert!(scene.tracker.chain(chain(0)).unwrap().block(1).is_none(), "it is below the view");
    assert_eq!([0, 2].map(|from| stop(&scene, from)), [Some(invalid), Some(unknown)]);
    scene.rewind(0, 0);
    assert_eq!(stop(&scene, 0), None, "it was replaced");
}
