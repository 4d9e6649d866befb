//! [`KnownNetwork`]: what is known of a public network, parsed from its file and checked.

use super::{Bootnode, NetworkError, NetworkName};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256};
use crosscheck_core::consolidation::{Fork, ForkSchedule};
use crosscheck_p2p::{ChainId, GossipForkTimes, UnixSeconds};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;

/// The bootnodes, of all chains.
const BOOTNODES: &str = include_str!("registry/bootnodes.toml");

/// What is known of a public network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNetwork {
    /// Its name.
    pub name: NetworkName,
    /// The chain.
    pub chain_id: ChainId,
    /// The L1 that it is derived from.
    pub l1_chain_id: u64,
    /// Seconds between two blocks, at least 1.
    pub block_time: u64,
    /// Its SystemConfig on L1, which names the unsafe block signer.
    pub system_config: Address,
    /// Where its batches go on L1.
    pub batch_inbox: Address,
    /// Where it begins.
    pub genesis: NetworkGenesis,
    /// When its forks took force, or will.
    pub forks: ForkSchedule,
    /// The chains whose messages it may execute, itself among them.
    pub dependency_set: BTreeSet<ChainId>,
    /// Whether Karst's upgrade gas stays in the gas limit of the block after its activation.
    pub keep_karst_upgrade_gas: bool,
    /// Until when blob fees of its L1 go by Cancun's rule. `None`: they never do for longer than on L1.
    pub pectra_blob_schedule: Option<UnixSeconds>,
    /// Where discovery begins.
    pub bootnodes: Vec<Bootnode>,
}

/// Where a network begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkGenesis {
    /// The L1 block that the first L2 block has as its origin.
    pub l1: BlockNumHash,
    /// The first L2 block.
    pub l2: BlockNumHash,
    /// Its timestamp.
    pub time: UnixSeconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNetwork {
    chain_id: u64,
    l1_chain_id: u64,
    block_time: u64,
    system_config: Address,
    batch_inbox: Address,
    genesis: RawGenesis,
    forks: ForkSchedule,
    /// Absent: the chain alone.
    #[serde(default)]
    dependency_set: BTreeSet<u64>,
    #[serde(default)]
    keep_karst_upgrade_gas: bool,
    pectra_blob_schedule_time: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGenesis {
    time: u64,
    #[serde(deserialize_with = "block_id")]
    l1: BlockNumHash,
    #[serde(deserialize_with = "block_id")]
    l2: BlockNumHash,
}

/// A number and a hash, and nothing else.
fn block_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlockNumHash, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Id {
        number: u64,
        hash: B256,
    }
    let Id { number, hash } = Id::deserialize(deserializer)?;
    Ok(BlockNumHash { number, hash })
}

impl KnownNetwork {
    pub(super) fn parse(name: NetworkName, text: &str) -> Result<Self, NetworkError> {
        let malformed = |reason: String| NetworkError::Malformed { name, reason };
        let raw: RawNetwork = toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
        if raw.block_time == 0 {
            return Err(malformed("block_time is 0".to_owned()));
        }
        if raw.system_config.is_zero() {
            return Err(malformed("system_config is the zero address".to_owned()));
        }
        Ok(Self {
            name,
            chain_id: ChainId::from(raw.chain_id),
            l1_chain_id: raw.l1_chain_id,
            block_time: raw.block_time,
            system_config: raw.system_config,
            batch_inbox: raw.batch_inbox,
            genesis: NetworkGenesis {
                l1: raw.genesis.l1,
                l2: raw.genesis.l2,
                time: UnixSeconds(raw.genesis.time),
            },
            forks: raw.forks,
            dependency_set: raw.dependency_set.into_iter().chain([raw.chain_id]).map(ChainId::from).collect(),
            keep_karst_upgrade_gas: raw.keep_karst_upgrade_gas,
            pectra_blob_schedule: raw.pectra_blob_schedule_time.map(UnixSeconds),
            bootnodes: bootnodes()?,
        })
    }

    /// The forks that gossip depends on. Where Jovian was scheduled after this build was made, no block is
    /// refused for being one of Jovian's.
    pub fn gossip_forks(&self) -> GossipForkTimes {
        GossipForkTimes {
            canyon: self.forks.activation(Fork::Canyon),
            ecotone: self.forks.activation(Fork::Ecotone),
            isthmus: self.forks.activation(Fork::Isthmus),
            jovian: self.forks.activation(Fork::Jovian).or(GossipForkTimes::AT_GENESIS.jovian),
        }
    }

    /// When interop activates. `None`: that is not scheduled.
    pub fn interop_time(&self) -> Option<UnixSeconds> {
        self.forks.activation(Fork::Lagoon)
    }
}

fn bootnodes() -> Result<Vec<Bootnode>, NetworkError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        bootnodes: Vec<Bootnode>,
    }
    let list: List = toml::from_str(BOOTNODES)
        .map_err(|error| NetworkError::Bootnodes { reason: error.message().to_owned() })?;
    Ok(list.bootnodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{address, b256};
    use rstest::rstest;

    fn network(name: &str) -> KnownNetwork {
        name.parse::<NetworkName>().unwrap().network().unwrap()
    }

    #[test]
    fn every_file_is_valid_and_describes_a_different_chain() {
        let mut chains: Vec<ChainId> =
            NetworkName::all().map(|name| name.network().unwrap().chain_id).collect();
        let count = chains.len();
        chains.sort();
        chains.dedup();
        assert_eq!(chains.len(), count);
    }

    /// A misspelt fork would be one that is not scheduled.
    #[test]
    fn every_fork_of_every_file_is_a_known_fork() {
        for name in NetworkName::all() {
            let path = format!("{}/src/networks/registry/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
            let forks = table.get("forks").unwrap().as_table().unwrap();
            for (key, time) in forks {
                let fork = Fork::ALL.into_iter().find(|fork| *key == format!("{fork}_time"));
                let time = UnixSeconds(u64::try_from(time.as_integer().unwrap()).unwrap());
                assert_eq!(name.network().unwrap().forks.activation(fork.expect(key)), Some(time));
            }
        }
    }

    #[test]
    fn op_mainnet() {
        let network = network("op-mainnet");
        assert_eq!((network.chain_id, network.l1_chain_id, network.block_time), (ChainId::from(10), 1, 2));
        assert_eq!(network.system_config, address!("229047fed2591dbec1ef1118d64f7af3db9eb290"));
        assert_eq!(network.batch_inbox, address!("ff00000000000000000000000000000000000010"));
        let first = b256!("dbf6a80fef073de06add9b0d14026d6e5a86c85f6d102c36d3d8e9cf89c2afd3");
        assert_eq!(network.genesis.l2, BlockNumHash { number: 105_235_063, hash: first });
        assert_eq!(network.genesis.time, UnixSeconds(1_686_068_903));
        assert_eq!(network.forks.activation(Fork::Jovian), Some(UnixSeconds(1_764_691_201)));
        assert_eq!(network.interop_time(), Some(UnixSeconds(1_799_683_201)));
        let forks = GossipForkTimes {
            canyon: Some(UnixSeconds(1_704_992_401)),
            ecotone: Some(UnixSeconds(1_710_374_401)),
            isthmus: Some(UnixSeconds(1_746_806_401)),
            jovian: Some(UnixSeconds(1_764_691_201)),
        };
        assert_eq!(network.gossip_forks(), forks);
    }

    /// BOB's Jovian is not scheduled as far as this build knows; its node will know it when it is.
    #[test]
    fn gossip_refuses_no_block_while_the_jovian_time_is_unknown() {
        let network = network("bob");
        assert_eq!(network.forks.activation(Fork::Jovian), None);
        let forks = network.gossip_forks();
        assert!(forks.is_jovian(UnixSeconds(1_800_000_000)));
        assert_eq!(forks.isthmus, Some(UnixSeconds(1_746_806_401)));
    }

    #[rstest]
    #[case::no_time_between_blocks("block_time = 2", "block_time = 0", "block_time is 0")]
    #[case::no_system_config("0x229047fed2591dbec1ef1118d64f7af3db9eb290", ZERO, "zero address")]
    #[case::an_unknown_key("block_time = 2", "block_time = 2\ncolour = 1", "unknown field `colour`")]
    #[case::forks_out_of_order("canyon_time = 1704992401", "canyon_time = 9999999999", "delta is scheduled")]
    fn an_impossible_network_file_is_refused(
        #[case] line: &str,
        #[case] replacement: &str,
        #[case] says: &str,
    ) {
        let text = include_str!("registry/op-mainnet.toml");
        assert!(text.contains(line));
        let error = KnownNetwork::parse("op-mainnet".parse().unwrap(), &text.replacen(line, replacement, 1));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    const ZERO: &str = "0x0000000000000000000000000000000000000000";
}
