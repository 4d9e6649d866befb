//! A block as its chain gossips it: the version 4 envelope of an [`L2Block`].
//!
//! A change of shape alone: it signs nothing.

use crate::chain::L2Block;
use crosscheck_p2p::{Envelope, ExecutionPayload, NoPayloadError};

impl L2Block {
    /// The envelope that carries this block, to be signed.
    ///
    /// # Errors
    /// When the payload would not hash to this block.
    pub fn envelope(&self) -> Result<Envelope, NoPayloadError> {
        let payload = ExecutionPayload::from_header(&self.header, self.raw_transactions.clone())?;
        Ok(Envelope { payload })
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
            let envelope = block.envelope().unwrap();
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
            let frame = block.envelope().unwrap().sign(&signer, domain, chain_id).unwrap().frame();
            let judgement = validator.judge(topic, &frame, &signers, block.timestamp());
            let Judgement::Accept(accepted) = judgement else { panic!("not accepted: {judgement:?}") };
            assert_eq!(accepted.hash(), block.hash);
        }
    }
}
