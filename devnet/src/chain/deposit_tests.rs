//! The devnet's own blocks hold the deposits, and have the attributes, that are derived from its L1 alone.

use super::{Chain, ChainParams, L2Block};
use crate::keys::deposit_contract_address;
use crate::l1::{FeeScalars, L1, L1Params, SystemConfigContract};
use crate::serve::{ChainStore, SimulatedRollupNode, rollup_node_module};
use alloy::eips::BlockNumHash;
use alloy::primitives::Address;
use crosscheck_core::consolidation::deposits::{
    DepositRules, DerivedFromL1, L1Epoch, ParentFacts, SetSize, derive_from_l1,
};
use crosscheck_core::consolidation::{BlockAttributes, MatchingRules, Mismatch, RollupConfig};
use crosscheck_core::proof::{ProvenL1Logs, VerifiedL1Header};
use crosscheck_p2p::UnixSeconds;
use jsonrpsee::core::EmptyServerParams;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

const CHAIN_ID: u64 = 901;
const SYSTEM_CONFIG: Address = Address::repeat_byte(0xc0);
const GENESIS: UnixSeconds = UnixSeconds(1_700_000_000);
const ALONE: SetSize = SetSize { is_of_several: false, is_certain: true };

struct World {
    l1: L1,
    chain: Chain,
    rules: DepositRules,
}

impl World {
    /// A chain, and the rules as its rollup node serves them.
    async fn new(seed: u64) -> Self {
        let batcher = Address::repeat_byte(0xba);
        let scalars = FeeScalars::GENESIS;
        let config = SystemConfigContract { unsafe_block_signer: Address::ZERO, batcher, scalars };
        let l1 = L1::new(L1Params {
            genesis_time: GENESIS,
            seed,
            safe_depth: 1,
            finalized_depth: 2,
            system_configs: BTreeMap::from([(SYSTEM_CONFIG, config)]),
        });
        let params = ChainParams {
            first_number: 0,
            chain_id: CHAIN_ID,
            block_time: 2,
            genesis_time: GENESIS,
            l1_genesis: l1.head().id(),
            gas_limit: 60_000_000,
            system_config: SYSTEM_CONFIG,
            deposit_contract: deposit_contract_address(CHAIN_ID),
            batcher,
            upgrade: None,
        };
        let chain = Chain::new(params.clone(), &[]).unwrap();
        let node = SimulatedRollupNode {
            chain: Arc::new(RwLock::new(ChainStore::new(CHAIN_ID, Arc::clone(chain.genesis())))),
            l1: Arc::new(RwLock::new(l1.clone())),
            dependencies: vec![CHAIN_ID],
            expiry_window: 100,
            interop_time: 0,
            block_time: params.block_time,
            system_config: params.system_config,
            batcher: params.batcher,
            upgrade: None,
            is_plain: false,
        };
        let module = rollup_node_module(node).unwrap();
        let config: RollupConfig =
            module.call("optimism_rollupConfig", EmptyServerParams::new()).await.unwrap();
        Self { l1, chain, rules: DepositRules::new(config, ALONE) }
    }

    /// Builds the next block on the head, in the epoch of L1's head.
    fn extend(&mut self) -> Arc<L2Block> {
        let parent = self.chain.head().hash;
        let block = self.chain.build(parent, self.l1.head(), &[]).unwrap();
        self.chain.adopt(block.hash).unwrap();
        block
    }

    fn derive(&self, parent: &L2Block, origin: u64) -> DerivedFromL1 {
        let id = BlockNumHash { number: parent.number(), hash: parent.hash };
        let parent = BlockAttributes::of_envelope(&parent.envelope().unwrap());
        let parent = ParentFacts::of_attributes(&self.rules, id, &parent).unwrap();
        let origin = self.l1.block_by_number(origin).unwrap();
        let header = VerifiedL1Header::seal(origin.header.clone());
        let logs = ProvenL1Logs::prove(
            &header,
            Vec::<alloy::consensus::ReceiptEnvelope>::new(),
            &self.rules.contracts(),
        )
        .unwrap();
        let epoch = L1Epoch { header: &header, logs: Some(&logs) };
        derive_from_l1(&self.rules, &parent, epoch, None).unwrap()
    }
}

#[tokio::test]
async fn every_block_holds_the_deposits_that_l1_gives_it() {
    for seed in 1..=3 {
        let mut world = World::new(seed).await;
        let matching = MatchingRules::from(&world.rules.config);
        let mut parent = Arc::clone(world.chain.genesis());
        for height in 1..=24_u64 {
            if height % 5 == 0 {
                world.l1.produce(UnixSeconds(GENESIS.0 + 2 * height)).unwrap();
            }
            let block = world.extend();
            let derived = world.derive(&parent, block.l1_origin.number);
            let attributes = BlockAttributes::of_envelope(&block.envelope().unwrap());
            assert_eq!(derived.attributes.transactions, attributes.transactions);
            assert_eq!(matching.first_mismatch_with_l1(&derived, &attributes), None);
            assert_eq!(matching.first_mismatch(&derived.attributes, &attributes), None);
            parent = block;
        }
        assert_eq!(parent.l1_origin.number, 4, "the chain went through epochs");
    }
}

#[tokio::test]
async fn a_wrong_minimum_base_fee_is_caught_without_any_l2_node() {
    let mut world = World::new(1).await;
    let parent = Arc::clone(world.chain.genesis());
    let block = world.extend();
    let derived = world.derive(&parent, 0);
    let mut attributes = BlockAttributes::of_envelope(&block.envelope().unwrap());
    let mut fees = attributes.fees.unwrap();
    fees.min_base_fee = fees.min_base_fee.map(|floor| floor + 1);
    attributes.fees = Ok(fees);
    let mismatch = MatchingRules::from(&world.rules.config).first_mismatch_with_l1(&derived, &attributes);
    assert!(matches!(mismatch, Some(Mismatch::FeeParameters { .. })));
}
