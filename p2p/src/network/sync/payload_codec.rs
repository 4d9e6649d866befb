//! [`PayloadCodec`]: requests and responses on a stream.
//!
//! Bounded in size by what is read, and in time by the protocol's timeout. Runs on the connection's own task:
//! compressing a block delays no other connection.

use super::{PayloadResponse, payload_response::MAX_RESPONSE_BYTES};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response::Codec};
use std::io;

/// The codec.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::network) struct PayloadCodec;

impl Codec for PayloadCodec {
    type Protocol = StreamProtocol;
    /// A block's number.
    type Request = u64;
    type Response = PayloadResponse;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<u64>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut number = [0; 8];
        io.read_exact(&mut number).await?;
        Ok(u64::from_le_bytes(number))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<PayloadResponse>
    where
        T: AsyncRead + Unpin + Send,
    {
        let limit = u64::try_from(MAX_RESPONSE_BYTES).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        io.take(limit.saturating_add(1)).read_to_end(&mut bytes).await?;
        if bytes.len() > MAX_RESPONSE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a response of more than 10 MiB"));
        }
        PayloadResponse::decode(&bytes)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, number: u64) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&number.to_le_bytes()).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: PayloadResponse,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&response.encode()?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        GossipForkTimes, PayloadVersion, SIGNATURE_BYTES,
        network::sync::payload_response::{ResponseError, StoredBlock, open_response},
        sample::{chain, envelope},
    };
    use alloy_primitives::Bytes;
    use futures::{executor::block_on, io::Cursor};
    use proptest::prelude::*;
    use rstest::rstest;

    const ID: StreamProtocol = StreamProtocol::new("/test");

    fn read(bytes: &[u8]) -> io::Result<PayloadResponse> {
        block_on(PayloadCodec.read_response(&ID, &mut Cursor::new(bytes)))
    }

    fn written(response: PayloadResponse) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        block_on(PayloadCodec.write_response(&ID, &mut out, response)).unwrap();
        out.into_inner()
    }

    #[test]
    fn a_request_is_eight_little_endian_bytes() {
        let mut out = Cursor::new(Vec::new());
        block_on(PayloadCodec.write_request(&ID, &mut out, 0x0102)).unwrap();
        assert_eq!(out.get_ref(), &[2, 1, 0, 0, 0, 0, 0, 0]);
        out.set_position(0);
        assert_eq!(block_on(PayloadCodec.read_request(&ID, &mut out)).unwrap(), 0x0102);
        assert!(block_on(PayloadCodec.read_request(&ID, &mut Cursor::new([0; 7]))).is_err());
    }

    #[rstest]
    #[case::ecotone_and_later(PayloadVersion::V4, 1)]
    #[case::before_ecotone(PayloadVersion::V2, 0)]
    fn a_stored_block_is_sent_without_its_signature(#[case] version: PayloadVersion, #[case] code: u8) {
        let mut data = vec![7; SIGNATURE_BYTES];
        data.extend_from_slice(b"signed");
        let compressed = crate::snappy::compress(&data).unwrap().into();
        let bytes = written(PayloadResponse::Stored(StoredBlock { compressed, is_signed: true, version }));
        assert_eq!(bytes[..5], [0, code, 0, 0, 0]);
        assert_eq!(bytes[5..15], *b"\xff\x06\x00\x00sNaPpY");
        let signed = Bytes::from_static(b"signed");
        assert_eq!(read(&bytes).unwrap(), PayloadResponse::Payload { version: u32::from(code), signed });
    }

    #[rstest]
    #[case::not_found(ResponseError::NotFound, 1)]
    #[case::invalid(ResponseError::Invalid, 2)]
    #[case::unavailable(ResponseError::Unavailable, 3)]
    fn refusals(#[case] refused: ResponseError, #[case] code: u8) {
        let bytes = written(PayloadResponse::Error(refused));
        assert_eq!(bytes[0], code);
        assert_eq!(read(&bytes).unwrap(), PayloadResponse::Error(refused));
        assert_eq!(read(&[code]).unwrap(), PayloadResponse::Error(refused));
    }

    #[test]
    fn a_stored_block_shorter_than_its_signature_is_an_error() {
        let compressed = crate::snappy::compress(&[7; SIGNATURE_BYTES - 1]).unwrap().into();
        let stored = StoredBlock { compressed, is_signed: true, version: PayloadVersion::V4 };
        assert!(PayloadResponse::Stored(stored).encode().is_err());
    }

    /// Nine hundred megabytes of zeros in three: reading stops at ten.
    #[test]
    fn a_decompression_bomb_is_not_decompressed() {
        let mut bytes = written(PayloadResponse::Payload { version: 1, signed: vec![0; 1 << 20].into() });
        let frames = bytes.split_off(5)[10..].to_vec();
        bytes.extend_from_slice(b"\xff\x06\x00\x00sNaPpY");
        (0..11).for_each(|_| bytes.extend_from_slice(&frames));
        assert!(bytes.len() < MAX_RESPONSE_BYTES);
        assert!(read(&bytes).unwrap_err().to_string().contains("10 MiB"));
    }

    #[test]
    fn a_response_without_end_is_not_read_to_the_end() {
        let endless = futures::io::repeat(0);
        let error = block_on(PayloadCodec.read_response(&ID, &mut { endless })).unwrap_err();
        assert!(error.to_string().contains("10 MiB"), "{error}");
    }

    #[test]
    fn a_payload_has_the_version_of_its_time() {
        let envelope = envelope(5, |_| ());
        let signed = envelope.encode().unwrap();
        assert_eq!(open_response(1, &signed, &GossipForkTimes::AT_GENESIS).unwrap(), envelope);
        assert!(open_response(0, &signed, &GossipForkTimes::AT_GENESIS).is_err());
        let not_yet = GossipForkTimes { isthmus: None, jovian: None, ..GossipForkTimes::AT_GENESIS };
        assert!(open_response(1, &signed, &not_yet).is_err(), "version 4 before Isthmus on {}", chain());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(version: u32, signed in proptest::collection::vec(any::<u8>(), 0..200_000)) {
            let response = PayloadResponse::Payload { version, signed: signed.into() };
            prop_assert_eq!(read(&written(response.clone())).unwrap(), response);
        }

        #[test]
        fn no_input_panics_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _read = read(&bytes);
            let _open = open_response(1, &bytes.into(), &GossipForkTimes::AT_GENESIS);
        }
    }
}
