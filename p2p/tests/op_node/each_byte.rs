//! Each byte of a frame changed: as it travels, as it is decompressed, signed again, and hashed and signed
//! again.

use crate::{
    case::Case,
    maker::Maker,
    wrapping::{SEQUENCER, compress},
};
use crosscheck_p2p::Topic;

/// The bits that are flipped.
const MASKS: [u8; 3] = [0x01, 0x80, 0xff];

/// All of a version.
pub(crate) fn cases(maker: &mut Maker<'_>) -> Vec<Case> {
    let (version, mut cases) = (maker.version, Vec::new());
    let mut add = |family: &'static str, at: usize, mask: u8, frame| {
        let name = format!("{} at {at}, {mask:#04x}", Topic::of_blocks(version));
        cases.push(Case::frame(family, name, version, frame));
    };
    let signed = maker.signed(|_| ());
    let sealed = SEQUENCER.sign(&signed);
    let frame = compress(&sealed);
    for mask in MASKS {
        for at in 0..frame.len() {
            add("a byte of the frame", at, mask, flipped(&frame, at, mask).into());
        }
        for at in 0..sealed.len() {
            add("a byte of the decompressed frame", at, mask, compress(&flipped(&sealed, at, mask)));
        }
        for at in 0..signed.len() {
            let changed = flipped(&signed, at, mask);
            add("a byte that is signed again", at, mask, compress(&SEQUENCER.sign(&changed)));
            let hashed = maker.hashed(changed);
            add("a byte that is hashed and signed again", at, mask, compress(&SEQUENCER.sign(&hashed)));
        }
    }
    for size in 0..frame.len() {
        add("a frame that is cut", size, 0, frame.slice(..size));
    }
    cases
}

fn flipped(bytes: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= mask;
    bytes
}
