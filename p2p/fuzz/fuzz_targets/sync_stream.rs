//! The streams of `payload_by_number`: what a client reads of a response, what a server reads of a request,
//! whether a payload is the block that was asked for, and what a server writes.
//!
//! The first byte says which, the second how. Never more is read or held than the bounds say.

#![no_main]

use alloy_primitives::{B256, Bytes, U256};
use crosscheck_p2p::{
    Envelope, GossipForkTimes, MAX_FRAME_BYTES, PayloadVersion, SIGNATURE_BYTES, UnixSeconds,
    fuzzing::{
        MAX_RESPONSE_BYTES, ReadResponse, is_answered_by, open_payload, read_request, read_response,
        write_payload, write_stored,
    },
};
use futures::AsyncRead;
use libfuzzer_sys::fuzz_target;
use setting::memory_of;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A snappy frame is read in two buffers of 64 KiB and a little more.
const READER_BYTES: u64 = 256 * 1024;
/// The most that snappy makes of a byte is less than 22; a buffer that grows is held twice, and half empty.
const MEMORY_PER_BYTE: u64 = 22 * 3 + 4;
/// A stream that does not end: rare, for reading it to the bound takes a while.
const ENDLESS: u8 = 0xff;

fuzz_target!(|data: &[u8]| {
    let [mode, knob, rest @ ..] = data else { return };
    match mode % 4 {
        0 => response(*knob, rest),
        1 => request(*knob, rest),
        2 => payload(*knob, rest),
        _ => served(*knob, rest),
    }
});

/// A stream that hands out a few bytes at a time, and counts them.
struct Drip<'a> {
    bytes: &'a [u8],
    most: usize,
    is_endless: bool,
    taken: usize,
}

impl<'a> Drip<'a> {
    fn new(bytes: &'a [u8], knob: u8) -> Self {
        let is_endless = knob == ENDLESS;
        let most = if is_endless { usize::MAX } else { usize::from(knob) + 1 };
        Self { bytes, most, is_endless, taken: 0 }
    }
}

impl AsyncRead for Drip<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let size = out.len().min(self.most);
        let size = if self.bytes.is_empty() && self.is_endless {
            out[..size].fill(0);
            size
        } else {
            let size = size.min(self.bytes.len());
            let (now, later) = self.bytes.split_at(size);
            out[..size].copy_from_slice(now);
            self.bytes = later;
            size
        };
        self.taken += size;
        Poll::Ready(Ok(size))
    }
}

/// No more is read than the bound and the byte that shows it broken, and no more held than the bytes can
/// unpack to.
fn response(knob: u8, bytes: &[u8]) {
    let mut stream = Drip::new(bytes, knob);
    let (memory, read) = memory_of(|| read_response(&mut stream));
    assert!(stream.taken <= MAX_RESPONSE_BYTES + 1, "{} bytes read", stream.taken);
    let limit = READER_BYTES + MEMORY_PER_BYTE * bytes.len() as u64;
    if stream.is_endless {
        assert!(read.is_err(), "a stream without end was taken");
        assert!(memory < 4 * MAX_RESPONSE_BYTES as u64, "{memory} bytes held");
        return;
    }
    assert_eq!(stream.taken, bytes.len());
    assert!(memory < limit, "{memory} bytes held for {} of input", bytes.len());
    match read {
        Ok(ReadResponse::Error(code)) => assert_eq!(bytes[0].min(3), code),
        Ok(ReadResponse::Payload { version, signed }) => {
            assert!(signed.len() <= MAX_FRAME_BYTES && bytes[..5] == found_head(version));
            assert_again(version, &signed);
            blocks_in(version, &signed);
        }
        Err(_) => {
            assert!(bytes.first().is_none_or(|code| *code == 0), "a refusal needs no more than its code")
        }
    }
}

/// Eight bytes, whatever follows.
fn request(knob: u8, bytes: &[u8]) {
    let mut stream = Drip::new(bytes, knob);
    let read = read_request(&mut stream).ok();
    assert!(stream.taken <= 8, "{} bytes read", stream.taken);
    let mut expected = bytes.to_vec();
    if stream.is_endless {
        expected.resize(bytes.len().max(8), 0);
    }
    assert_eq!(read, expected.first_chunk().copied().map(u64::from_le_bytes));
}

/// Signed bytes as they come out of a response; and with the hash made right, so that they get further.
fn payload(knob: u8, bytes: &[u8]) {
    let signed = Bytes::copy_from_slice(bytes);
    let (version, code) = (PayloadVersion::ALL[usize::from(knob % 4)], u32::from(knob >> 2 & 1));
    blocks_in(code, &signed);
    assert_again(code, &signed);
    let Ok(mut envelope) = Envelope::decode(version, &signed) else { return };
    if envelope.payload.transactions.iter().any(|transaction| transaction.is_empty()) {
        return;
    }
    envelope.payload.block_hash = envelope.payload.recompute_hash();
    let signed = envelope.encode().expect("it was decoded");
    for forks in all_forks() {
        let is_its_time = forks.version_at(envelope.payload.timestamp) == version;
        let is_its_code = (code == 1) == version.has_blob_fields();
        let opened = open_payload(code, &signed, &forks);
        assert!(!(is_its_time && is_its_code) || opened.as_ref() == Some(&envelope));
        if let Some(opened) = opened {
            assert_eq!(met(&opened, &forks), holds(&opened, &forks));
        }
    }
    blocks_in(code, &signed);
}

/// Whatever opens is encoded to the same bytes, has the version of its time, and is taken for the block that
/// was asked for only if its fields hash to what was asked for.
fn blocks_in(code: u32, signed: &Bytes) {
    for forks in all_forks() {
        let Some(envelope) = open_payload(code, signed, &forks) else { continue };
        assert_eq!(envelope.encode().as_ref(), Ok(signed));
        assert_eq!(envelope.payload.version(), forks.version_at(envelope.payload.timestamp));
        if met(&envelope, &forks) {
            assert_eq!(envelope.payload.recompute_hash(), envelope.payload.block_hash);
            assert!(holds(&envelope, &forks));
        }
    }
}

/// Whether a block is the one that it claims to be, were it asked for; it is no other, and no later one.
fn met(envelope: &Envelope, forks: &GossipForkTimes) -> bool {
    let payload = &envelope.payload;
    let (number, hash, time) = (payload.number, payload.block_hash, payload.timestamp);
    let others = [
        (number.wrapping_add(1), hash, UnixSeconds(u64::MAX)),
        (number, hash ^ B256::with_last_byte(1), UnixSeconds(u64::MAX)),
    ];
    let earlier = time.0.checked_sub(1).map(|before| (number, hash, UnixSeconds(before)));
    assert!(!others.into_iter().chain(earlier).any(|wanted| is_answered_by(wanted, envelope, forks)));
    // A block may have its child's timestamp.
    is_answered_by((number, hash, time), envelope, forks)
}

/// The rules of a block but for its hash.
fn holds(envelope: &Envelope, forks: &GossipForkTimes) -> bool {
    let payload = &envelope.payload;
    let blobs = payload.blobs().map_or((0, 0), |blobs| (blobs.blob_gas_used, blobs.excess_blob_gas));
    payload.base_fee_per_gas <= U256::from(u64::MAX)
        && payload.withdrawals().is_none_or(<[_]>::is_empty)
        && (blobs.0 == 0 || forks.is_jovian(payload.timestamp))
        && blobs.1 == 0
        && payload.transactions.iter().all(|transaction| !transaction.is_empty())
}

/// What is kept is served as it was signed; what cannot be read is an error.
fn served(knob: u8, bytes: &[u8]) {
    let (version, is_signed) = (PayloadVersion::ALL[usize::from(knob % 4)], knob & 4 != 0);
    if knob & 8 != 0 {
        let _error = write_stored(Bytes::copy_from_slice(bytes), is_signed, version);
        return;
    }
    let compressed = snap::raw::Encoder::new().compress_vec(bytes).expect("small enough");
    let skip = if is_signed { SIGNATURE_BYTES } else { 0 };
    // What is kept was validated: it has room for what it is said to have.
    let Some(signed) = bytes.get(skip..) else { return };
    let written = write_stored(compressed.into(), is_signed, version).expect("it is a block");
    assert!(written.len() <= MAX_RESPONSE_BYTES);
    let signed = Bytes::copy_from_slice(signed);
    let code = u32::from(version.has_blob_fields());
    let read = read_response(Drip::new(&written, 0xfe)).expect("it was written");
    assert_eq!(read, ReadResponse::Payload { version: code, signed });
}

/// What was read is written, and read again.
fn assert_again(version: u32, signed: &Bytes) {
    let written = write_payload(version, signed.clone()).expect("it was read");
    assert_eq!(written[..5], found_head(version));
    let again = read_response(Drip::new(&written, 0xfe)).expect("it was written");
    assert_eq!(again, ReadResponse::Payload { version, signed: signed.clone() });
}

fn found_head(version: u32) -> [u8; 5] {
    let [a, b, c, d] = version.to_le_bytes();
    [0, a, b, c, d]
}

/// Chains on which each version is the one in force, before Jovian and after; and one whose forks lie in the
/// way.
fn all_forks() -> [GossipForkTimes; 6] {
    let (start, never) = (Some(UnixSeconds(0)), None);
    let none = GossipForkTimes { canyon: never, ecotone: never, isthmus: never, jovian: never };
    let canyon = GossipForkTimes { canyon: start, ..none };
    let ecotone = GossipForkTimes { ecotone: start, ..canyon };
    let isthmus = GossipForkTimes { isthmus: start, ..ecotone };
    let later = |seconds| Some(UnixSeconds(seconds));
    let mixed = GossipForkTimes {
        canyon: later(1_000_000_000),
        ecotone: later(1_500_000_000),
        isthmus: later(1_700_000_000),
        jovian: later(1_800_000_000),
    };
    [none, canyon, ecotone, isthmus, GossipForkTimes::AT_GENESIS, mixed]
}
