//! A block as its chain gossips it: the version 4 envelope of an [`L2Block`].
//!
//! A change of shape alone: it signs nothing.

use super::block::L2Block;
use alloy::primitives::U256;
use crosscheck_p2p::{BlobFields, Envelope, ExecutionPayload, VersionFields};

impl L2Block {
    /// The envelope that carries this block, to be signed.
    pub fn envelope(&self) -> Envelope {
        let header = &self.header;
        let blobs = BlobFields {
            parent_beacon_block_root: header.parent_beacon_block_root.unwrap_or_default(),
            blob_gas_used: header.blob_gas_used.unwrap_or_default(),
            excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
        };
        let withdrawals_root = header.withdrawals_root.unwrap_or_default();
        Envelope {
            payload: ExecutionPayload {
                parent_hash: header.parent_hash,
                fee_recipient: header.beneficiary,
                state_root: header.state_root,
                receipts_root: header.receipts_root,
                logs_bloom: header.logs_bloom,
                prev_randao: header.mix_hash,
                number: header.number,
                gas_limit: header.gas_limit,
                gas_used: header.gas_used,
                timestamp: self.timestamp(),
                extra_data: header.extra_data.clone(),
                base_fee_per_gas: U256::from(header.base_fee_per_gas.unwrap_or_default()),
                block_hash: self.hash,
                transactions: self.raw_transactions.clone(),
                version_fields: VersionFields::V4 { withdrawals: Vec::new(), blobs, withdrawals_root },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::{EMITTER, emit_call};
    use crate::fixture::{CHAIN_ID, Fixture};
    use alloy::{eips::eip2930::AccessList, primitives::B256};
    use crosscheck_p2p::{
        BlockSigner, ChainId, Judgement, Signers, SigningDomain, Topic, ValidationRules, Validator,
    };
    use rstest::rstest;
    use std::sync::Arc;

    fn blocks() -> Vec<Arc<L2Block>> {
        let mut fixture = Fixture::new(7);
        let genesis = Arc::clone(fixture.chain.genesis());
        let raw = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"gossip"), AccessList::default());
        vec![genesis, fixture.extend(&[]), fixture.extend(&[raw])]
    }

    /// What gossip recomputes from the payload alone is the hash that the chain sealed: genesis included.
    #[test]
    fn gossip_recomputes_the_header() {
        for block in blocks() {
            let envelope = block.envelope();
            assert_eq!(envelope.payload.header(), block.header);
            assert_eq!(envelope.payload.recompute_hash(), block.hash);
        }
    }

    #[rstest]
    #[case::unsafe_block(Topic::BlocksV4, SigningDomain::Zero)]
    #[case::cross_safe_block(Topic::CrossSafeBlocksV1, SigningDomain::CrossSafeBlocksV1)]
    fn a_signed_block_is_accepted(#[case] topic: Topic, #[case] domain: SigningDomain) {
        let signer = BlockSigner::from_bytes(&B256::repeat_byte(1)).unwrap();
        let signers = Signers::of(signer.address());
        let chain_id = ChainId::from(CHAIN_ID);
        let mut validator = Validator::new(ValidationRules::new(chain_id));
        for block in blocks() {
            let frame = block.envelope().sign(&signer, domain, chain_id).unwrap().frame();
            let judgement = validator.judge(topic, &frame, &signers, block.timestamp());
            let Judgement::Accept(accepted) = judgement else { panic!("not accepted: {judgement:?}") };
            assert_eq!(accepted.hash(), block.hash);
        }
    }
}
