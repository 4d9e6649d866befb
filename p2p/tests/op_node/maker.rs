//! [`Maker`]: makes frames whose block hash is the one that op-node reckons, so that it is not what they are
//! refused for.

use crate::{
    block::{Block, HASH, payload_at},
    op_node::OpNode,
    wrapping::{SEQUENCER, compress},
};
use alloy_primitives::Bytes;
use crosscheck_p2p::{Envelope, PayloadVersion};

/// Makes frames of a version.
pub(crate) struct Maker<'a> {
    pub(crate) version: PayloadVersion,
    pub(crate) op_node: &'a mut OpNode,
}

impl Maker<'_> {
    /// Writes the hash into signed bytes that op-node can decode. Others stay as they are.
    pub(crate) fn hashed(&mut self, mut signed: Vec<u8>) -> Vec<u8> {
        if let Some(hash) = self.op_node.hash(self.version, &signed) {
            put(&mut signed, payload_at(self.version) + HASH, &hash);
        }
        signed
    }

    /// The signed bytes of a block, with its hash.
    pub(crate) fn signed(&mut self, change: impl FnOnce(&mut Block)) -> Vec<u8> {
        let mut block = Block::new(self.version, 5);
        change(&mut block);
        self.hashed(block.encode())
    }

    /// The decompressed frame of a block.
    pub(crate) fn sealed(&mut self, change: impl FnOnce(&mut Block)) -> Vec<u8> {
        SEQUENCER.sign(&self.signed(change))
    }

    /// The frame of a block.
    pub(crate) fn frame(&mut self, change: impl FnOnce(&mut Block)) -> Bytes {
        compress(&self.sealed(change))
    }

    /// The frame of signed bytes that were changed, with the hash that they have now.
    pub(crate) fn rehashed(&mut self, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut signed = self.signed(|_| ());
        change(&mut signed);
        compress(&SEQUENCER.sign(&self.hashed(signed)))
    }

    /// The frame of signed bytes that were changed, with the hash that they had before.
    pub(crate) fn resigned(&mut self, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut signed = self.signed(|_| ());
        change(&mut signed);
        compress(&SEQUENCER.sign(&signed))
    }

    /// The frame of a block with the hash that our library reckons.
    pub(crate) fn hashed_by_us(&mut self, change: impl FnOnce(&mut Block)) -> Bytes {
        let mut signed = self.signed(change);
        let hash = Envelope::decode(self.version, &signed.clone().into()).unwrap().payload.recompute_hash();
        put(&mut signed, payload_at(self.version) + HASH, hash.as_slice());
        compress(&SEQUENCER.sign(&signed))
    }
}

/// Writes bytes in the place of others, as far as there are any.
pub(crate) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes.iter_mut().skip(at).zip(new).for_each(|(byte, new)| *byte = *new);
}
