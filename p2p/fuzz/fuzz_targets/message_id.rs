//! Message ids: of the decompressed bytes where a frame is snappy, of the raw ones where it is not, as op-node has it.

#![no_main]

use crosscheck_p2p::{MAX_FRAME_BYTES, message_id};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|input: (&str, &[u8])| {
    let (topic, data) = input;
    assert_eq!(message_id(topic, data).as_bytes(), &expected(topic, data));
    let frame = snap::raw::Encoder::new().compress_vec(data).expect("small enough");
    assert_eq!(message_id(topic, &frame).as_bytes(), &hash([1, 0, 0, 0], topic, data));
});

fn expected(topic: &str, frame: &[u8]) -> [u8; 20] {
    let claimed = snap::raw::decompress_len(frame).ok().filter(|claimed| *claimed <= MAX_FRAME_BYTES);
    let data = claimed.and_then(|claimed| {
        let mut data = vec![0; claimed];
        let written = snap::raw::Decoder::new().decompress(frame, &mut data).ok()?;
        data.truncate(written);
        Some(data)
    });
    match data {
        Some(data) => hash([1, 0, 0, 0], topic, &data),
        None => hash([0; 4], topic, frame),
    }
}

fn hash(domain: [u8; 4], topic: &str, data: &[u8]) -> [u8; 20] {
    let mut hasher = Sha256::new();
    hasher.update(domain);
    hasher.update((topic.len() as u64).to_le_bytes());
    hasher.update(topic);
    hasher.update(data);
    let digest: [u8; 32] = hasher.finalize().into();
    *digest.first_chunk().expect("20 of 32")
}
