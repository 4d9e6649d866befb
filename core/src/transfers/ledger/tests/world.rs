//! Blocks and transfers for tests of the ledger.

use crate::message::{BlockKey, Identifier};
use crate::transfers::{Asset, BlockTransfers, Initiated, L2_TO_L2_MESSENGER, Relayed, Transfer};
use alloy::primitives::{Address, B256, U256, keccak256};
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeMap;

/// Which branch each chain is on.
#[derive(Clone, Debug, Default)]
pub(super) struct World(BTreeMap<u64, u64>);

impl World {
    /// A block of the branch that the chain is on.
    pub(super) fn block(&mut self, chain: u64, number: u64) -> BlockKey {
        let branch = *self.0.entry(chain).or_default();
        let hash = keccak256([chain, branch, number].map(u64::to_be_bytes).concat());
        BlockKey { chain_id: chain.into(), number, hash }
    }

    /// From now on the chain's blocks are others.
    pub(super) fn fork(&mut self, chain: u64) {
        *self.0.entry(chain).or_default() += 1;
    }
}

/// A transfer of ETH. Its amount is its nonce.
pub(super) fn transfer(source: u64, destination: u64, amount: u64) -> Transfer {
    Transfer {
        source: source.into(),
        destination: destination.into(),
        nonce: U256::from(amount),
        asset: Asset::Eth,
        from: Address::ZERO,
        to: Address::ZERO,
        amount: U256::from(amount),
    }
}

fn cited(transfer: &Transfer, block_number: u64) -> Identifier {
    let (origin, chain_id) = (L2_TO_L2_MESSENGER, transfer.source);
    Identifier { origin, block_number, log_index: 0, timestamp: UnixSeconds(0), chain_id }
}

/// What a block holds: transfers that it initiates, then those that it executes, with the block that each
/// cites.
pub(super) fn transfers(initiated: &[Transfer], executed: &[(Transfer, Option<u64>)]) -> BlockTransfers {
    let initiated: Vec<_> = (0_u32..)
        .zip(initiated)
        .map(|(place, transfer)| Initiated {
            log_index: place,
            transaction_index: place,
            transfer: *transfer,
            message_hash: transfer.message_hash(),
            is_resent: false,
        })
        .collect();
    let first = u32::try_from(initiated.len()).unwrap();
    let relayed = (first..).zip(executed).map(|(place, (transfer, number))| Relayed {
        log_index: place,
        transaction_index: place,
        transfer: *transfer,
        message_hash: transfer.message_hash(),
        payload_hash: B256::ZERO,
        since: place,
        is_bound: true,
        cited: number.map(|number| cited(transfer, number)),
    });
    let relayed = relayed.collect();
    BlockTransfers::for_tests(initiated, relayed, false)
}
