//! Frames that come one after the other, where the answer depends on what came before.

use crate::{
    NOW,
    block::Block,
    case::{Case, Step},
    maker::Maker,
    op_node::OpNode,
    random::{version, wrapped},
    wrapping::{Key, SEQUENCER, STRANGER, SUCCESSOR, compress, length, literals, twin, with_length},
};
use alloy_primitives::Bytes;
use crosscheck_p2p::{PayloadVersion, UnixSeconds};
use rand::{Rng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

/// The families of which differences are known.
pub(crate) const ROTATION: &str = "an unsound block of the next signer";
pub(crate) const FORGOTTEN: &str = "more heights than are remembered";

/// How many heights both remember.
const HEIGHTS: u64 = 1000;

/// All of a version.
pub(crate) fn cases(maker: &mut Maker<'_>) -> Vec<Case> {
    let mut cases = vec![seven_at_a_height(maker), rotation(maker), rotation_without_a_word(maker)];
    cases.extend(rotations_by_unsound_blocks(maker));
    cases.extend(rewrapped(maker));
    cases.extend(out_of_window(maker));
    if maker.version == PayloadVersion::V4 {
        cases.push(forgotten(maker));
    }
    cases
}

/// Six get in, and nothing after them, be it known or not. Other heights are not touched.
fn seven_at_a_height(maker: &mut Maker<'_>) -> Case {
    let mut case = Case::new("many blocks of a height", "seven, then all again");
    let mut frames: Vec<_> = (0..7).map(|gas| maker.frame(|block| block.gas_used = gas)).collect();
    frames.push(maker.frame(|block| block.number = 6));
    for frame in frames.iter().take(3).chain(&frames).chain(&frames) {
        case.add(maker.version, frame.clone());
    }
    case
}

/// Each way to write a block, first: the others after it are the same block.
fn rewrapped(maker: &mut Maker<'_>) -> Vec<Case> {
    let sealed = maker.sealed(|_| ());
    let mut turned = sealed.clone();
    twin(&mut turned);
    let plain = compress(&sealed);
    let padded = with_length(&plain, length(&plain), 7);
    let forms =
        [("plain", plain), ("twin", compress(&turned)), ("literals", literals(&sealed)), ("padded", padded)];
    forms
        .iter()
        .map(|(name, first)| {
            let mut case = Case::new("a block in every form", format!("{name} first"));
            for frame in [first].into_iter().chain(forms.iter().map(|(_, frame)| frame)) {
                case.add(maker.version, frame.clone());
            }
            case
        })
        .collect()
}

/// Blocks of long ago or of the future, one sound one, and the same again.
fn out_of_window(maker: &mut Maker<'_>) -> Vec<Case> {
    [("too old", -61), ("from the future", 6)]
        .into_iter()
        .map(|(name, seconds)| {
            let mut case = Case::new("blocks outside the window", name);
            let sound = maker.frame(|block| block.number = 900);
            for number in 0..24 {
                let shift_out_of_window = |block: &mut Block| {
                    (block.number, block.timestamp) = (number, NOW.0.saturating_add_signed(seconds));
                };
                case.add(maker.version, maker.frame(shift_out_of_window));
                if number == 11 {
                    case.add(maker.version, sound.clone());
                }
            }
            case
        })
        .collect()
}

/// The signers one after the other, with sound blocks: the old one's word counts until the new one is heard.
fn rotation(maker: &mut Maker<'_>) -> Case {
    let mut case = Case::new("a rotation of signers", "the old, the new, the old, and back");
    let mut number = 0;
    let mut add = |case: &mut Case, key: Key| {
        number += 1;
        case.add(maker.version, compress(&key.sign(&maker.signed(|block| block.number = number))));
    };
    add(&mut case, SEQUENCER);
    add(&mut case, SUCCESSOR);
    for signer in [SUCCESSOR, SEQUENCER, SEQUENCER, STRANGER] {
        case.steps.push(Step::Name(signer.address()));
        for key in [SEQUENCER, STRANGER, SUCCESSOR, SEQUENCER, SUCCESSOR] {
            add(&mut case, key);
        }
    }
    case
}

/// Two changes before anybody is heard: of the signers before, only the last still counts.
fn rotation_without_a_word(maker: &mut Maker<'_>) -> Case {
    let mut case = Case::new("a rotation of signers", "twice, and nobody is heard");
    case.steps.extend([SUCCESSOR, STRANGER].map(|key| Step::Name(key.address())));
    for (number, key) in (1..).zip([SEQUENCER, SUCCESSOR, SEQUENCER, STRANGER, SUCCESSOR]) {
        case.add(maker.version, compress(&key.sign(&maker.signed(|block| block.number = number))));
    }
    case
}

/// The new signer is heard first with a block that is invalid, or not in time, or that was seen before.
fn rotations_by_unsound_blocks(maker: &mut Maker<'_>) -> Vec<Case> {
    let too_old = maker.signed(|block| block.timestamp -= 61);
    let mut wrong_hash = maker.signed(|_| ());
    wrong_hash[40] ^= 1;
    let no_block = vec![7; 40];
    [("too old", too_old), ("of another hash", wrong_hash), ("none at all", no_block)]
        .into_iter()
        .map(|(name, unsound)| {
            let mut case = Case::new(ROTATION, name);
            case.steps.push(Step::Name(SUCCESSOR.address()));
            case.add(maker.version, compress(&SUCCESSOR.sign(&unsound)));
            case.add(maker.version, maker.frame(|_| ()));
            case
        })
        .collect()
}

/// A block of a height is seen again before more heights come than are remembered.
fn forgotten(maker: &mut Maker<'_>) -> Case {
    let mut case = Case::new(FORGOTTEN, "the first is seen again before the last comes");
    let frames: Vec<Bytes> = (0..=HEIGHTS).map(|number| maker.frame(|block| block.number = number)).collect();
    let first = &frames[..frames.len() - 1];
    for frame in first.iter().chain([&frames[0]]).chain(frames.last()).chain(&frames[1..2]) {
        case.add(maker.version, frame.clone());
    }
    case
}

/// The same, and the first is asked for. What is known to differ ends a case, so this is one of its own.
pub(crate) fn first_kept(maker: &mut Maker<'_>) -> Case {
    let mut case = forgotten(maker);
    let again = case.steps[0].clone();
    case.steps.pop();
    case.steps.push(again);
    case
}

/// Sixty frames of few blocks, in many forms, on all topics, in passing time. No block is one that the two
/// are known to judge otherwise.
pub(crate) fn random(op_node: &mut OpNode, random: &mut ChaCha8Rng) -> Case {
    let mut case = Case::new("a random sequence", "");
    let mut now = NOW.0;
    for _ in 0..60 {
        let mut maker = Maker { version: version(random), op_node: &mut *op_node };
        let change = |block: &mut Block| {
            block.number = random.random_range(1..4);
            block.gas_used = random.random_range(0..8);
            block.timestamp = NOW.0 + 50 * random.random_range(0..3);
        };
        let mut signed = maker.signed(change);
        if random.random_ratio(1, 12) {
            let at = random.random_range(0..signed.len());
            signed[at] ^= 1;
        }
        let key = *[SEQUENCER, SEQUENCER, SEQUENCER, SEQUENCER, SEQUENCER, SUCCESSOR].choose(random).unwrap();
        let frame = wrapped(key.sign(&signed), random);
        let on = if random.random_ratio(1, 20) { version(random) } else { maker.version };
        now += random.random_range(0..4);
        case.steps.push(Step::Frame { version: on, now: UnixSeconds(now), frame });
    }
    case
}

/// Sound blocks of heights of their own, by anyone who has a key, while L1 names one signer and then another.
pub(crate) fn random_rotations(op_node: &mut OpNode, random: &mut ChaCha8Rng) -> Case {
    let mut case = Case::new("random rotations of signers", "");
    let keys = [SEQUENCER, SUCCESSOR, STRANGER];
    for number in 0..30 {
        if random.random_ratio(1, 5) {
            case.steps.push(Step::Name(keys.choose(random).unwrap().address()));
        }
        let mut maker = Maker { version: version(random), op_node: &mut *op_node };
        let signed = maker.signed(|block| block.number = number);
        case.add(maker.version, compress(&keys.choose(random).unwrap().sign(&signed)));
    }
    case
}
