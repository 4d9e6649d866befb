//! Random structures, signatures and bytes. Nothing is random but the seed's doing.

use crate::{
    NOW,
    block::{
        Block, EXTRA_DATA_OFFSET, SIGNATURE, TRANSACTIONS_OFFSET, WITHDRAWAL, WITHDRAWALS_OFFSET, base_fee,
        fixed_bytes, payload_at,
    },
    case::Case,
    maker::{Maker, put},
    wrapping::{SEQUENCER, STRANGER, compress, length, literals, twin, with_length},
};
use alloy_primitives::Bytes;
use crosscheck_p2p::PayloadVersion;
use rand::{Rng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

/// A block of random fields, written down with random faults, hashed and signed more often than not.
pub(crate) fn structure(maker: &mut Maker<'_>, random: &mut ChaCha8Rng) -> Case {
    let block = block(maker.version, random);
    let mut signed = block.encode();
    for _ in 0..random.random_range(0..4) {
        damage(maker.version, &block, &mut signed, random);
    }
    if random.random_ratio(9, 10) {
        signed = maker.hashed(signed);
    }
    let key = if random.random_ratio(49, 50) { SEQUENCER } else { STRANGER };
    let frame = wrapped(key.sign(&signed), random);
    let on = if random.random_ratio(1, 30) { version(random) } else { maker.version };
    Case::frame("a random structure", "", on, frame)
}

/// A sound block under a signature that may be anything.
pub(crate) fn signature(maker: &mut Maker<'_>, random: &mut ChaCha8Rng) -> Case {
    let mut bytes = maker.sealed(|block| block.number = random.random_range(1..1000));
    random.fill(&mut bytes[..SIGNATURE - 1]);
    bytes[SIGNATURE - 1] = random.random_range(0..10);
    Case::frame("a random signature", "", maker.version, compress(&bytes))
}

/// Bytes that may be a snappy block.
pub(crate) fn bytes(maker: &Maker<'_>, random: &mut ChaCha8Rng) -> Case {
    let mut bytes = vec![0; random.random_range(0..300)];
    random.fill(bytes.as_mut_slice());
    if random.random_ratio(1, 2) {
        // Tags that copy find something more often.
        bytes.iter_mut().for_each(|byte| *byte &= 0x1f);
    }
    let size = random.random_range(0..100);
    Case::frame("random bytes", "", maker.version, with_length(&[&[0], bytes.as_slice()].concat(), size, 1))
}

pub(crate) fn version(random: &mut ChaCha8Rng) -> PayloadVersion {
    *PayloadVersion::ALL.choose(random).unwrap()
}

fn block(version: PayloadVersion, random: &mut ChaCha8Rng) -> Block {
    let mut block = Block::new(version, random.random_range(1..9));
    if random.random_ratio(1, 10) {
        block.number = *[0, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX].choose(random).unwrap();
    }
    if random.random_ratio(1, 5) {
        block.timestamp = NOW.0.wrapping_add_signed(*[-61, -60, -59, 4, 5, 6].choose(random).unwrap());
    }
    if random.random_ratio(1, 5) {
        block.base_fee = base_fee(random.random());
        block.base_fee[random.random_range(0..32)] = 1;
    }
    if random.random_ratio(1, 5) {
        block.blob_gas_used = random.random();
        block.excess_blob_gas = u64::from(random.random_ratio(1, 4));
    }
    block.root = [random.random(); 32];
    block.gas_used = random.random();
    block.extra_data = vec![random.random(); random.random_range(0..35)];
    block.transactions = (0..random.random_range(0..7)).map(|_| transaction(random)).collect();
    if random.random_ratio(1, 8) {
        let size = *[1, 43, 44, 45, 16 * WITHDRAWAL, 17 * WITHDRAWAL].choose(random).unwrap();
        block.withdrawals = vec![random.random(); size];
    }
    block
}

fn transaction(random: &mut ChaCha8Rng) -> Vec<u8> {
    let size = match random.random_range(0..40) {
        0 => 0,
        1 => random.random_range(200..600),
        _ => random.random_range(1..60),
    };
    (0..size).map(|_| random.random()).collect()
}

/// One fault in the signed bytes.
fn damage(version: PayloadVersion, block: &Block, signed: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    let start = payload_at(version);
    let table = fixed_bytes(version) + block.extra_data.len();
    match random.random_range(0..7) {
        0..3 => {
            let offsets = [EXTRA_DATA_OFFSET, TRANSACTIONS_OFFSET, WITHDRAWALS_OFFSET, table];
            let at = start
                + offsets.choose(random).unwrap()
                + 4 * random.random_range(0..3) * usize::from(random.random_ratio(1, 3));
            let Some(old) = signed.get(at..at + 4) else { return };
            let old = u32::from_le_bytes(old.try_into().unwrap());
            let new = match random.random_range(0..4) {
                0 => random.random(),
                1 => random.random_range(0..800),
                _ => old.wrapping_add_signed(random.random_range(-48..48)),
            };
            put(signed, at, &new.to_le_bytes());
        }
        3 => {
            let at = random.random_range(0..=signed.len());
            let more = vec![random.random(); random.random_range(1..50)];
            signed.splice(at..at, more);
        }
        4 => {
            let at = random.random_range(0..=signed.len());
            let end = signed.len().min(at + random.random_range(1..50));
            signed.drain(at..end);
        }
        5 => signed.truncate(random.random_range(0..=signed.len())),
        _ => {
            let at = random.random_range(0..=signed.len());
            put(signed, at, &[random.random()]);
        }
    }
}

/// A decompressed frame, packed in one of the ways that anybody can.
pub(crate) fn wrapped(mut bytes: Vec<u8>, random: &mut ChaCha8Rng) -> Bytes {
    if random.random_ratio(1, 8) {
        twin(&mut bytes);
    }
    if random.random_ratio(1, 16) {
        bytes[SIGNATURE - 1] = bytes[SIGNATURE - 1].wrapping_add(*[1, 2, 4, 8, 27].choose(random).unwrap());
    }
    let mut frame = if random.random_ratio(1, 8) { literals(&bytes) } else { compress(&bytes) };
    if random.random_ratio(1, 8) {
        frame = with_length(&frame, length(&frame), random.random_range(1..12));
    }
    if random.random_ratio(1, 20) {
        let mut damaged = frame.to_vec();
        let at = random.random_range(0..damaged.len());
        damaged[at] = random.random();
        frame = damaged.into();
    }
    frame
}
