//! What the fuzz targets reach of the network's private readers: node records, and the streams of
//! `payload_by_number`.
//!
//! Built with `--cfg fuzzing` only, which `fuzz/instrument` passes: no other build has it. Adds no rule of
//! its own: each function passes its bytes to the reader that untrusted bytes go to.

use super::{
    discovery::{ChainEntry, DialScope, DiscoveredNode, NodeRecord},
    sync::{BlockRequest, PayloadCodec, PayloadResponse, ResponseError, StoredBlock, open_response},
};
use crate::{Envelope, GossipForkTimes, PayloadVersion, UnixSeconds};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable as _, Encodable as _};
use futures::{AsyncRead, executor::block_on, io::Cursor};
use libp2p::{Multiaddr, PeerId, StreamProtocol, request_response::Codec as _};
use std::io;

/// The most that a client reads of a response, bytes.
pub const MAX_RESPONSE_BYTES: usize = super::sync::MAX_RESPONSE_BYTES;

const ID: StreamProtocol = StreamProtocol::new("/fuzzed");

/// A record that discovery took, and what it made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecord {
    /// The record's bytes, written again.
    pub rlp: Vec<u8>,
    /// How many of the given bytes it took.
    pub taken: usize,
    /// The node, if it is one of our chain that can be dialled: from a node on this machine, in a private
    /// network, and on the public network.
    pub nodes: [Option<ReadNode>; 3],
}

/// A node to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadNode {
    /// The peer.
    pub peer_id: PeerId,
    /// Where it can be dialled.
    pub addr: Multiaddr,
    /// The chain that it is on.
    pub chain_id: u64,
    /// Whether it is a subscriber of the cross-safe topic.
    pub is_cross_safe: bool,
    /// The record as text.
    pub record: String,
}

/// Reads a record as discovery does, for a node of the chain `ours`. `None`: it is not a record.
pub fn read_record(rlp: &[u8], ours: u64) -> Option<ReadRecord> {
    let mut rest = rlp;
    let record = NodeRecord::decode(&mut rest).ok()?;
    let mut again = Vec::new();
    record.encode(&mut again);
    let nodes = [DialScope::Machine, DialScope::Private, DialScope::Public].map(|scope| {
        let found = DiscoveredNode::read(&record, ChainEntry { chain_id: ours }, scope)?;
        let DiscoveredNode { peer_id, addr, chain_id, is_cross_safe, record } = found;
        Some(ReadNode { peer_id, addr, chain_id, is_cross_safe, record })
    });
    Some(ReadRecord { rlp: again, taken: rlp.len().saturating_sub(rest.len()), nodes })
}

/// The chain that an `opstack` entry names.
pub fn read_entry(rlp: &[u8]) -> Option<u64> {
    ChainEntry::from_rlp(rlp).map(|entry| entry.chain_id)
}

/// The `opstack` entry of a chain.
pub fn write_entry(chain_id: u64) -> Vec<u8> {
    ChainEntry { chain_id }.to_rlp()
}

/// What a client read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadResponse {
    /// A payload, not looked at yet.
    Payload {
        /// The code of its layout.
        version: u32,
        /// Its bytes.
        signed: Bytes,
    },
    /// There is none, by this code.
    Error(u8),
}

/// What a client reads of a response.
///
/// # Errors
/// It is none, or too long.
pub fn read_response(mut io: impl AsyncRead + Unpin + Send) -> io::Result<ReadResponse> {
    Ok(match block_on(PayloadCodec.read_response(&ID, &mut io))? {
        PayloadResponse::Payload { version, signed } => ReadResponse::Payload { version, signed },
        PayloadResponse::Error(ResponseError::NotFound) => ReadResponse::Error(1),
        PayloadResponse::Error(ResponseError::Invalid) => ReadResponse::Error(2),
        PayloadResponse::Error(ResponseError::Unavailable) => ReadResponse::Error(3),
        PayloadResponse::Stored(_) => return Err(io::Error::other("nothing stored is ever read")),
    })
}

/// What a server reads of a request.
///
/// # Errors
/// It is cut short.
pub fn read_request(mut io: impl AsyncRead + Unpin + Send) -> io::Result<u64> {
    block_on(PayloadCodec.read_request(&ID, &mut io))
}

/// The response with a block that a server keeps as a snappy block.
///
/// # Errors
/// What is stored cannot be read.
pub fn write_stored(compressed: Bytes, is_signed: bool, version: PayloadVersion) -> io::Result<Vec<u8>> {
    write(PayloadResponse::Stored(StoredBlock { compressed, is_signed, version }))
}

/// The response with these bytes.
///
/// # Errors
/// None is known.
pub fn write_payload(version: u32, signed: Bytes) -> io::Result<Vec<u8>> {
    write(PayloadResponse::Payload { version, signed })
}

fn write(response: PayloadResponse) -> io::Result<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    block_on(PayloadCodec.write_response(&ID, &mut out, response))?;
    Ok(out.into_inner())
}

/// The block in received bytes, by the code of their layout.
pub fn open_payload(version: u32, signed: &Bytes, forks: &GossipForkTimes) -> Option<Envelope> {
    open_response(version, signed, forks).ok()
}

/// Whether a block is the one that was asked for.
pub fn is_answered_by(
    (number, hash, max_timestamp): (u64, B256, UnixSeconds),
    envelope: &Envelope,
    forks: &GossipForkTimes,
) -> bool {
    BlockRequest { number, hash, max_timestamp }.is_answered_by(envelope, forks)
}
