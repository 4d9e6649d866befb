//! The cases that somebody thought of, one frame each.

use crate::{
    CHAIN, NOW,
    block::{
        Block, EXTRA_DATA_OFFSET, SIGNATURE, TRANSACTIONS_OFFSET, WITHDRAWAL, WITHDRAWALS_OFFSET, base_fee,
        fixed_bytes, payload_at,
    },
    case::Case,
    maker::{Maker, put},
    wrapping::{SEQUENCER, STRANGER, compress, length, literals, order, twin, with_length},
};
use alloy_primitives::{Address, Bytes, U256};
use crosscheck_p2p::{ChainId, MAX_FRAME_BYTES, PayloadVersion, SigningDomain, UnixSeconds};

/// More transactions than this are not let in.
const MAX_TRANSACTIONS: usize = 1 << 20;

/// All of a version.
pub(crate) fn cases(maker: &mut Maker<'_>) -> Vec<Case> {
    let mut cases = Cases { version: maker.version, all: Vec::new() };
    fields(maker, &mut cases);
    lists(maker, &mut cases);
    sizes(maker, &mut cases);
    layout(maker, &mut cases);
    signatures(maker, &mut cases);
    scalars(maker, &mut cases);
    snappy(maker, &mut cases);
    around(maker, &mut cases);
    cases.all
}

struct Cases {
    version: PayloadVersion,
    all: Vec<Case>,
}

impl Cases {
    fn add(&mut self, family: &'static str, name: impl Into<String>, frame: Bytes) -> &mut Case {
        self.all.push(Case::frame(family, name, self.version, frame));
        self.all.last_mut().unwrap()
    }
}

fn fields(maker: &mut Maker<'_>, cases: &mut Cases) {
    cases.add("a sound block", "as it is", maker.frame(|_| ()));
    for seconds in [-3_600, -61, -60, -59, -1, 0, 4, 5, 6, 3_600] {
        let frame = maker.frame(|block| block.timestamp = NOW.0.saturating_add_signed(seconds));
        cases.add("a timestamp", format!("{seconds} s"), frame);
    }
    for timestamp in [0, u64::MAX] {
        cases.add("a timestamp", timestamp.to_string(), maker.frame(|block| block.timestamp = timestamp));
    }
    for fee in [0, 7, u64::MAX] {
        cases.add("a base fee", fee.to_string(), maker.frame(|block| block.base_fee = base_fee(fee)));
    }
    for place in [8, 31] {
        let frame = maker.frame(|block| block.base_fee[place] = 1);
        cases.add("a base fee", format!("2^{}", 8 * place), frame);
    }
    for number in [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX] {
        cases.add("a height", number.to_string(), maker.frame(|block| block.number = number));
        let frame = maker.hashed_by_us(|block| block.number = number);
        cases.add("a height", format!("{number}, with the true hash"), frame);
    }
    cases.add("gas", "used above the limit", maker.frame(|block| block.gas_used = u64::MAX));
    for size in [0, 1, 16, 31, 32, 33] {
        let frame = maker.frame(|block| block.extra_data = vec![7; size]);
        cases.add("extra data", format!("{size} bytes"), frame);
    }
    for gas in [0, 1, u64::MAX] {
        let frame = maker.frame(|block| block.excess_blob_gas = gas);
        cases.add("excess blob gas", gas.to_string(), frame);
    }
    for gas in [0, 1, u64::MAX] {
        for (jovian, name) in [(None, "never"), (Some(1), "a second later"), (Some(0), "at the block")] {
            let frame = maker.frame(|block| block.blob_gas_used = gas);
            let case = cases.add("blob gas", format!("{gas}, Jovian {name}"), frame);
            case.jovian = jovian.map(|after| UnixSeconds(NOW.0 + after));
        }
    }
    for byte in [0, 8] {
        let frame = maker.frame(|block| block.root = [byte; 32]);
        cases.add("a parent beacon block root", byte.to_string(), frame);
        let frame = maker.frame(|block| block.withdrawals_root = [byte; 32]);
        cases.add("a withdrawals root", byte.to_string(), frame);
    }
}

fn lists(maker: &mut Maker<'_>, cases: &mut Cases) {
    for count in [0, 1, 2, 3, 16, 17, 55, 56, 127, 128, 129, 130, 255, 256, 257, 3_000] {
        let frame = maker.frame(|block| block.transactions = vec![vec![2, 3, 4]; count]);
        cases.add("transactions", format!("{count} of them"), frame);
    }
    for size in [1, 31, 32, 55, 56, 255, 256, 65_535, 65_536] {
        let frame = maker.frame(|block| block.transactions = vec![vec![0x7f; size]]);
        cases.add("transactions", format!("one of {size} bytes"), frame);
    }
    for byte in [0, 0x7f, 0x80, 0xff] {
        let frame = maker.frame(|block| block.transactions = vec![vec![byte]]);
        cases.add("transactions", format!("one of the byte {byte}"), frame);
    }
    for places in [&[0][..], &[1], &[2], &[0, 1, 2]] {
        let frame = maker.frame(|block| places.iter().for_each(|place| block.transactions[*place].clear()));
        cases.add("transactions", format!("empty at {places:?}"), frame);
    }
    for count in [1, 2, 16, 17] {
        let frame = maker.frame(|block| block.withdrawals = vec![3; WITHDRAWAL * count]);
        cases.add("withdrawals", format!("{count} of them"), frame);
    }
    for size in [1, WITHDRAWAL - 1, WITHDRAWAL + 1] {
        let frame = maker.frame(|block| block.withdrawals = vec![3; size]);
        cases.add("withdrawals", format!("{size} bytes"), frame);
    }
    if maker.version == PayloadVersion::V4 {
        let size = MAX_TRANSACTIONS + 1;
        let frame = maker.frame(|block| block.transactions = vec![vec![1]; size]);
        cases.add("transactions", "one more than are let in", frame);
    }
}

/// Frames of exactly the size that is accepted, and of one byte more.
fn sizes(maker: &mut Maker<'_>, cases: &mut Cases) {
    let other = maker.sealed(|block| block.transactions = vec![Vec::new()]).len();
    for more in [0, 1] {
        let size = MAX_FRAME_BYTES + more - other;
        let frame = maker.frame(|block| block.transactions = vec![vec![1; size]]);
        cases.add("a size", format!("{more} bytes too many"), frame);
    }
}

/// Offsets, and what they point at.
fn layout(maker: &mut Maker<'_>, cases: &mut Cases) {
    let (version, start) = (maker.version, payload_at(maker.version));
    let sound = maker.signed(|_| ());
    let size = u32::try_from(sound.len() - start).unwrap();
    let fixed = u32::try_from(fixed_bytes(version)).unwrap();
    let table = fixed_bytes(version) + 17;
    for at in [EXTRA_DATA_OFFSET, TRANSACTIONS_OFFSET, WITHDRAWALS_OFFSET, table, table + 4, table + 8] {
        let old = u32::from_le_bytes(sound[start + at..start + at + 4].try_into().unwrap());
        let near = [-44, -32, -17, -8, -4, -3, -2, -1, 1, 2, 3, 4, 8, 17, 32, 44];
        let near = near.into_iter().map(|by| old.wrapping_add_signed(by));
        let far = [0, 1, 2, 4, 7, 8, 12, 13, 16, 20, fixed - 1, fixed, fixed + 1, size - 1, size, size + 1];
        let beyond = [1 << 16, 1 << 22, 1 << 24, 1 << 31, u32::MAX - 3, u32::MAX];
        for offset in near.chain(far).chain(beyond) {
            let change = |signed: &mut Vec<u8>| put(signed, start + at, &offset.to_le_bytes());
            cases.add("an offset", format!("at {at}: {offset}"), maker.rehashed(change));
        }
    }
    for more in [1, 4, WITHDRAWAL, 16 * WITHDRAWAL, 17 * WITHDRAWAL] {
        let longer = |signed: &mut Vec<u8>| signed.resize(signed.len() + more, 0);
        cases.add("bytes behind", format!("{more}, hashed"), maker.rehashed(longer));
        cases.add("bytes behind", format!("{more}"), maker.resigned(longer));
    }
    for size in 0..sound.len() {
        let cut = |signed: &mut Vec<u8>| signed.truncate(size);
        cases.add("a payload that is cut", format!("at {size}"), maker.rehashed(cut));
    }
    for other in PayloadVersion::ALL.into_iter().filter(|other| *other != version) {
        let signed = maker.hashed(Block::new(other, 5).encode());
        cases.add("another version", other.name(), compress(&SEQUENCER.sign(&signed)));
        let signed = Maker { version: other, op_node: &mut *maker.op_node }.signed(|_| ());
        cases.add("another version", format!("{other}, hashed as such"), compress(&SEQUENCER.sign(&signed)));
    }
    if version >= PayloadVersion::V3 {
        let without = |signed: &mut Vec<u8>| drop(signed.drain(..32));
        cases.add("another version", "no parent beacon block root", maker.rehashed(without));
    }
}

fn signatures(maker: &mut Maker<'_>, cases: &mut Cases) {
    let signed = maker.signed(|_| ());
    for domain in [SigningDomain::Zero, SigningDomain::CrossSafeBlocksV1] {
        for chain in [CHAIN, CHAIN + 1] {
            let bytes = SEQUENCER.sign_as(&signed, domain, ChainId::from(chain));
            cases.add("a signature", format!("domain {domain}, chain {chain}"), compress(&bytes));
        }
    }
    cases.add("a signature", "a stranger's", compress(&STRANGER.sign(&signed)));
    let case = cases.add("a signature", "nobody may sign", compress(&SEQUENCER.sign(&signed)));
    case.signer = Address::ZERO;
    let sealed = SEQUENCER.sign(&signed);
    for id in 0..=u8::MAX {
        let mut bytes = sealed.clone();
        bytes[SIGNATURE - 1] = id;
        cases.add("a signature", format!("recovery id {id}"), compress(&bytes));
        twin(&mut bytes);
        cases.add("a signature", format!("recovery id {id}, the twin"), compress(&bytes));
    }
    for add in [0, 1, 2, 4, 8, 27, 31, 35] {
        let mut bytes = sealed.clone();
        bytes[SIGNATURE - 1] += add;
        cases.add("a signature", format!("recovery id + {add}"), compress(&bytes));
        let mut bytes = sealed.clone();
        twin(&mut bytes);
        bytes[SIGNATURE - 1] += add;
        cases.add("a signature", format!("the twin, recovery id + {add}"), compress(&bytes));
    }
}

/// Numbers at the ends of what a signature's may be.
fn scalars(maker: &mut Maker<'_>, cases: &mut Cases) {
    let sealed = maker.sealed(|_| ());
    let field = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
    let (n, p, one) = (order(), U256::from_str_radix(field, 16).unwrap(), U256::from(1));
    let half = n >> 1;
    for value in
        [U256::ZERO, one, U256::from(2), half, half + one, n - one, n, n + one, p - n, p - one, p, U256::MAX]
    {
        for at in [0, 32] {
            for id in [0, 1, 2, 3, 6] {
                let mut bytes = sealed.clone();
                put(&mut bytes, at, &value.to_be_bytes::<32>());
                bytes[SIGNATURE - 1] = id;
                cases.add("a signature", format!("{value:#x} at {at}, recovery id {id}"), compress(&bytes));
            }
        }
    }
}

fn snappy(maker: &mut Maker<'_>, cases: &mut Cases) {
    const FAMILY: &str = "compression";
    let sealed = maker.sealed(|_| ());
    let (frame, plain) = (compress(&sealed), literals(&sealed));
    let size = length(&frame);
    cases.add(FAMILY, "literals only", plain.clone());
    cases.add(FAMILY, "none", sealed.clone().into());
    cases.add(FAMILY, "twice", compress(&frame));
    let stream = [b"\xff\x06\x00\x00sNaPpY\x01".as_slice(), &sealed].concat();
    cases.add(FAMILY, "the format of streams", stream.into());
    for (name, frame) in [("", &frame), (", literals only", &plain)] {
        for bytes in 1..=12 {
            cases.add(FAMILY, format!("length in {bytes} bytes{name}"), with_length(frame, size, bytes));
        }
        let beyond = [1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + size, 1 << 63, u64::MAX];
        for length in [0, 1, 64, 65, 66, size - 1, size + 1, MAX_FRAME_BYTES as u64].into_iter().chain(beyond)
        {
            for bytes in [1, 6, 10] {
                let name = format!("length {length} in {bytes} bytes{name}");
                cases.add(FAMILY, name, with_length(frame, length, bytes));
            }
        }
        for more in [&[0][..], &[0xff], &[0, 1, 2], &[1, 2, 3]] {
            cases.add(FAMILY, format!("{more:?} behind{name}"), [frame, more].concat().into());
        }
    }
}

/// Next to no frame at all.
fn around(maker: &mut Maker<'_>, cases: &mut Cases) {
    const FAMILY: &str = "hardly a frame";
    cases.add(FAMILY, "nothing", Bytes::new());
    for byte in [0, 1, 0x7f, 0x80, 0xff] {
        for size in [1, 2, 5, 10, 11, 80] {
            cases.add(FAMILY, format!("{size} times {byte}"), vec![byte; size].into());
        }
    }
    for size in [0, 1, 31, 32, 33, 64, 65, 66, 67, 97, 98] {
        cases.add(FAMILY, format!("{size} zeros"), compress(&vec![0; size]));
    }
    for size in [0, 1, 31, 32, 33] {
        cases.add(FAMILY, format!("{size} signed zeros"), compress(&SEQUENCER.sign(&vec![0; size])));
    }
    let fixed = payload_at(maker.version) + fixed_bytes(maker.version);
    cases.add(FAMILY, "signed zeros as long as the fixed part", compress(&SEQUENCER.sign(&vec![0; fixed])));
}
