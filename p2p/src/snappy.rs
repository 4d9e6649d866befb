//! Snappy blocks, read as op-node's library reads them.
//!
//! Go reads the length in front as a varint of up to 10 bytes, as long as its value fits 32 bits; `snap`
//! reads 5 bytes at most. Anybody can lengthen it without a key, and op-node relays the outcome. So the
//! length is rewritten in as few bytes as it needs before `snap` sees it. Never allocates what a length
//! claims before the claim is checked.

use crate::Reason;
use std::borrow::Cow;

/// The most bytes that a frame may have, compressed or decompressed: 10 MiB, as in op-node.
pub const MAX_FRAME_BYTES: usize = 10 * 1024 * 1024;

const CONTINUED: u8 = 0x80;

/// How many bits of the length are in a byte.
const GROUP_BITS: usize = 7;

/// The most bytes that Go reads a length from, and the most that the last of them may be.
const MAX_LENGTH_BYTES: usize = 10;
const MAX_LAST_GROUP: u8 = 1;

/// The frame with its length in as few bytes as it needs. One whose length cannot be read stays as it is.
///
/// # Errors
/// [`Reason::DeclaredSizeTooLarge`].
pub(crate) fn with_shortest_length(frame: &[u8]) -> Result<Cow<'_, [u8]>, Reason> {
    let Some((declared, block)) = split_length(frame) else { return Ok(Cow::Borrowed(frame)) };
    let declared = usize::try_from(declared).unwrap_or(usize::MAX);
    if declared > MAX_FRAME_BYTES {
        return Err(Reason::DeclaredSizeTooLarge { declared, limit: MAX_FRAME_BYTES });
    }
    let length = shortest_varint(declared);
    Ok(if frame.starts_with(&length) {
        Cow::Borrowed(frame)
    } else {
        Cow::Owned([length.as_slice(), block].concat())
    })
}

/// Decompresses a snappy block of at most [`MAX_FRAME_BYTES`] declared bytes.
///
/// # Errors
/// [`Reason::DeclaredSizeTooLarge`], [`Reason::BadSnappy`].
pub(crate) fn decompress(frame: &[u8]) -> Result<Vec<u8>, Reason> {
    let frame = with_shortest_length(frame)?;
    let bad = |error: snap::Error| Reason::BadSnappy { detail: error.to_string() };
    let mut data = vec![0; snap::raw::decompress_len(&frame).map_err(bad)?.min(MAX_FRAME_BYTES)];
    let written = snap::raw::Decoder::new().decompress(&frame, &mut data).map_err(bad)?;
    data.truncate(written);
    Ok(data)
}

/// Compresses to a snappy block.
pub(crate) fn compress(data: &[u8]) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(data)
}

/// The length and what follows it. `None`: it does not end, or 32 bits do not hold it.
fn split_length(frame: &[u8]) -> Option<(u32, &[u8])> {
    let end = frame.iter().take(MAX_LENGTH_BYTES).position(|byte| byte & CONTINUED == 0)?;
    let (length, block) = frame.split_at_checked(end.checked_add(1)?)?;
    let last = length.last()?;
    if length.len() == MAX_LENGTH_BYTES && *last > MAX_LAST_GROUP {
        return None;
    }
    let value = length.iter().rev().try_fold(0_u64, |value, byte| {
        let shifted = value.checked_mul(1 << GROUP_BITS)?;
        shifted.checked_add(u64::from(byte & !CONTINUED))
    });
    Some((u32::try_from(value?).ok()?, block))
}

fn shortest_varint(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAX_LENGTH_BYTES);
    loop {
        let group = u8::try_from(length & usize::from(!CONTINUED)).unwrap_or(!CONTINUED);
        length >>= GROUP_BITS;
        if length == 0 {
            bytes.push(group);
            return bytes;
        }
        bytes.push(group | CONTINUED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message_id, sample::padded};
    use proptest::prelude::*;
    use rstest::rstest;

    proptest! {
        /// Whatever a frame's length is written in, the data, the canonical form and the message id are the
        /// same.
        #[test]
        fn a_padded_length_does_not_change_the_frame(data: Vec<u8>, bytes in 5..=10_usize) {
            let plain = compress(&data).unwrap();
            let padded = padded(&plain, bytes);
            prop_assert_ne!(&padded, &plain);
            prop_assert_eq!(&*with_shortest_length(&padded).unwrap(), &plain);
            prop_assert_eq!(decompress(&padded).unwrap(), data);
            prop_assert_eq!(message_id("test", &padded), message_id("test", &plain));
        }
    }

    #[rstest]
    #[case::eleven_bytes(&padded(&compress(&[7; 80]).unwrap(), 11), "bad-snappy")]
    #[case::the_tenth_byte_overflows(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 0], "bad-snappy")]
    #[case::sixty_four_bits(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0], "bad-snappy")]
    #[case::thirty_three_bits(&[0x80, 0x80, 0x80, 0x80, 0x10, 0], "bad-snappy")]
    #[case::padded_and_too_large(&[0x81, 0x80, 0x80, 0x85, 0x80, 0x00, 0], "declared-size-too-large")]
    #[case::never_ends(&[0x80; 9], "bad-snappy")]
    fn refuses(#[case] frame: &[u8], #[case] code: &str) {
        assert_eq!(decompress(frame).unwrap_err().code(), code);
    }
}
