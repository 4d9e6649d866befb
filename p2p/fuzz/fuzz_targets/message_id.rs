//! Message ids: of the decompressed bytes where a frame is snappy, of the raw ones where it is not, as
//! op-node has it, however long the length in front is written.

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
    let data = length(frame).and_then(|(claimed, block)| {
        let claimed = usize::try_from(claimed).ok().filter(|claimed| *claimed <= MAX_FRAME_BYTES)?;
        // The same block behind a length in as few bytes as it needs, which is all that the library reads.
        let mut plain = snap::raw::Encoder::new().compress_vec(&vec![0; claimed]).expect("small enough");
        let (_, rest) = length(&plain)?;
        plain.truncate(plain.len() - rest.len());
        plain.extend_from_slice(block);
        let mut data = vec![0; claimed];
        let written = snap::raw::Decoder::new().decompress(&plain, &mut data).ok()?;
        data.truncate(written);
        Some(data)
    });
    match data {
        Some(data) => hash([1, 0, 0, 0], topic, &data),
        None => hash([0; 4], topic, frame),
    }
}

/// The length in front as Go's `binary.Uvarint` reads it, if 32 bits hold it, and what follows.
fn length(frame: &[u8]) -> Option<(u32, &[u8])> {
    let mut value: u128 = 0;
    for (place, byte) in frame.iter().enumerate().take(10) {
        value |= u128::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Some((u32::try_from(value).ok()?, &frame[place + 1..]));
        }
    }
    None
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
