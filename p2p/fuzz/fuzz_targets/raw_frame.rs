//! Bytes as they come off the wire, and the same bytes as a frame really holds them: whatever they are, they
//! are judged, twice alike, and never let through, for nobody here holds the sequencer's key.

#![no_main]

use alloy_primitives::Bytes;
use crosscheck_p2p::{
    Envelope, Frame, GossipForkTimes, Judgement, MAX_FRAME_BYTES, PayloadVersion, Topic, recover_signers,
};
use libfuzzer_sys::fuzz_target;
use setting::{NOW, chain, signers, validator};

fuzz_target!(|data: &[u8]| {
    judge(&Bytes::copy_from_slice(data));
    // Few bytes are snappy by chance: what lies behind that check has to be led there.
    judge(&snap::raw::Encoder::new().compress_vec(data).expect("small enough").into());
});

fn judge(frame: &Bytes) {
    for topic in Topic::ALL {
        let judge = || validator(GossipForkTimes::AT_GENESIS).judge(topic, frame, &signers(), NOW);
        let (first, again) = (judge(), judge());
        assert!(!matches!(first, Judgement::Accept(_)), "accepted on {topic}");
        assert_eq!(first.refusal(), again.refusal());
        let _ = recover_signers(topic, chain(), frame);
    }
    if let Ok(opened) = Frame::open(frame) {
        assert!(opened.signed().len() < MAX_FRAME_BYTES);
        for version in PayloadVersion::ALL {
            decode(version, &opened.signed());
        }
    }
}

/// What decodes encodes to the same bytes.
fn decode(version: PayloadVersion, signed: &Bytes) {
    if let Ok(envelope) = Envelope::decode(version, signed) {
        assert_eq!(&envelope.encode().expect("it was decoded"), signed);
        let _ = envelope.payload.recompute_hash();
    }
}
