//! [`HealthPart`]: a part of the program that works or does not. It names the part for `/readyz`, the log and
//! metrics. It never says why the part does not work, and knows no other room.

use core::fmt;
use crosscheck_core::alerts::AlertKind;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;

/// A part of the program. Its `Display` is its name on `/readyz`, in the log and in metrics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthPart {
    /// The endpoint of L1 can be read.
    L1Endpoint,
    /// The latest block of L1 moves.
    L1StalledHead,
    /// The endpoint of L1 answers in time.
    L1SlowEndpoint,
    /// The ledger can be written.
    Ledger,
    /// The ledger can be read.
    LedgerReads,
    /// The endpoints of a chain serve that chain, by the same rules.
    Endpoints(ChainId),
    /// The rollup node of a chain reports its heads.
    Heads(ChainId),
    /// The rollup nodes of a chain agree.
    RollupNodes(ChainId),
    /// The nodes of a chain are not on an invalid block.
    Branch(ChainId),
    /// No block of a chain is without a verdict for too long.
    OpenCases(ChainId),
    /// A chain is read up to its latest block.
    Monitor(ChainId),
    /// What is served to the followers of a chain is current.
    Following(ChainId),
    /// A chain has a gossip peer.
    Peers(ChainId),
    /// The sequencer's blocks are within the time window.
    Clock(ChainId),
    /// The unsafe block signer of a chain can be read from L1.
    UnsafeBlockSigner(ChainId),
    /// Gossiped unsafe blocks of a chain are accepted.
    RefusedUnsafeBlocks(ChainId),
    /// Gossiped attestations of a chain are accepted.
    RefusedAttestations(ChainId),
    /// A head of a chain moves.
    StalledHead {
        /// The chain.
        chain_id: ChainId,
        /// The name of the head in metrics.
        head: &'static str,
    },
    /// A served head of a chain does not wait for a head that does not move.
    ServedHead {
        /// The chain.
        chain_id: ChainId,
        /// The level of the head.
        level: SafetyLevel,
    },
    /// An endpoint of a chain answers in time.
    SlowEndpoint {
        /// The chain.
        chain_id: ChainId,
        /// The name of the kind of endpoint in metrics.
        endpoint: &'static str,
        /// Its place among the chain's endpoints of its kind, counted from 0.
        place: usize,
    },
    /// A claimant names a cross-safe block.
    Claimant {
        /// The chain.
        chain_id: ChainId,
        /// The name of the claimant, as in answers to callers.
        name: String,
    },
}

impl HealthPart {
    /// What kind of part it is: a stable name, without the chain, the head or the endpoint.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::L1Endpoint => "l1-endpoint",
            Self::L1StalledHead => "l1-stalled-head",
            Self::L1SlowEndpoint => "l1-slow-endpoint",
            Self::Ledger => "ledger",
            Self::LedgerReads => "ledger-reads",
            Self::Endpoints(_) => "endpoints",
            Self::Heads(_) => "heads",
            Self::RollupNodes(_) => "rollup-nodes",
            Self::Branch(_) => "branch",
            Self::OpenCases(_) => "open-cases",
            Self::Monitor(_) => "monitor",
            Self::Following(_) => "following",
            Self::Peers(_) => "peers",
            Self::Clock(_) => "clock",
            Self::UnsafeBlockSigner(_) => "unsafe-block-signer",
            Self::RefusedUnsafeBlocks(_) => "refused-unsafe-blocks",
            Self::RefusedAttestations(_) => "refused-attestations",
            Self::StalledHead { .. } => "stalled-head",
            Self::ServedHead { .. } => "served-head",
            Self::SlowEndpoint { .. } => "slow-endpoint",
            Self::Claimant { .. } => "claimant",
        }
    }

    /// What it means for an operator that the part does not work.
    pub fn alert_kind(&self) -> AlertKind {
        match self {
            Self::L1Endpoint => AlertKind::L1Unreadable,
            Self::L1StalledHead => AlertKind::L1HeadNotMoving,
            Self::Ledger | Self::LedgerReads => AlertKind::LedgerFailing,
            Self::Endpoints(_) | Self::Heads(_) | Self::Monitor(_) => AlertKind::ChainUnusable,
            Self::RollupNodes(_) => AlertKind::RollupNodesDiffer,
            Self::Branch(_) => AlertKind::NodeOnInvalidBranch,
            Self::OpenCases(_) => AlertKind::OldestOpenCase,
            Self::Following(_) | Self::ServedHead { .. } => AlertKind::ServedHeadStale,
            Self::Peers(_) => AlertKind::NoPeers,
            Self::Clock(_) => AlertKind::ClockWrong,
            Self::UnsafeBlockSigner(_) => AlertKind::SignerUnreadable,
            Self::RefusedUnsafeBlocks(_) | Self::RefusedAttestations(_) => AlertKind::GossipRefused,
            Self::StalledHead { head: "execution", .. } => AlertKind::ExecutionHeadNotMoving,
            Self::StalledHead { head: "vouched", .. } => AlertKind::VouchedHeadNotMoving,
            Self::StalledHead { .. } => AlertKind::RollupNodeHeadNotMoving,
            Self::L1SlowEndpoint | Self::SlowEndpoint { .. } => AlertKind::EndpointSlow,
            Self::Claimant { .. } => AlertKind::ClaimantUnusable,
        }
    }

    /// The chain that the part belongs to. `None`: it is one for all chains.
    pub const fn chain_id(&self) -> Option<ChainId> {
        match self {
            Self::L1Endpoint
            | Self::L1StalledHead
            | Self::L1SlowEndpoint
            | Self::Ledger
            | Self::LedgerReads => None,
            Self::Endpoints(chain_id)
            | Self::Heads(chain_id)
            | Self::RollupNodes(chain_id)
            | Self::Branch(chain_id)
            | Self::OpenCases(chain_id)
            | Self::Monitor(chain_id)
            | Self::Following(chain_id)
            | Self::Peers(chain_id)
            | Self::Clock(chain_id)
            | Self::UnsafeBlockSigner(chain_id)
            | Self::RefusedUnsafeBlocks(chain_id)
            | Self::RefusedAttestations(chain_id)
            | Self::StalledHead { chain_id, .. }
            | Self::ServedHead { chain_id, .. }
            | Self::SlowEndpoint { chain_id, .. }
            | Self::Claimant { chain_id, .. } => Some(*chain_id),
        }
    }
}

impl fmt::Display for HealthPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::L1Endpoint => f.write_str("L1 endpoint"),
            Self::L1StalledHead => f.write_str("L1 stalled head"),
            Self::L1SlowEndpoint => f.write_str("L1 slow endpoint"),
            Self::Ledger => f.write_str("ledger"),
            Self::LedgerReads => f.write_str("ledger reads"),
            Self::Endpoints(chain_id) => write!(f, "chain {chain_id} endpoints"),
            Self::Heads(chain_id) => write!(f, "chain {chain_id} heads"),
            Self::RollupNodes(chain_id) => write!(f, "chain {chain_id} rollup nodes"),
            Self::Branch(chain_id) => write!(f, "chain {chain_id} branch"),
            Self::OpenCases(chain_id) => write!(f, "chain {chain_id} open cases"),
            Self::Monitor(chain_id) => write!(f, "chain {chain_id} monitor"),
            Self::Following(chain_id) => write!(f, "chain {chain_id} following"),
            Self::Peers(chain_id) => write!(f, "chain {chain_id} peers"),
            Self::Clock(chain_id) => write!(f, "chain {chain_id} clock"),
            Self::UnsafeBlockSigner(chain_id) => write!(f, "chain {chain_id} unsafe block signer"),
            Self::RefusedUnsafeBlocks(chain_id) => write!(f, "chain {chain_id} refused unsafe blocks"),
            Self::RefusedAttestations(chain_id) => write!(f, "chain {chain_id} refused attestations"),
            Self::StalledHead { chain_id, head } => write!(f, "chain {chain_id} stalled {head} head"),
            Self::ServedHead { chain_id, level } => write!(f, "chain {chain_id} served {level} head"),
            Self::SlowEndpoint { chain_id, endpoint, place } => {
                write!(f, "chain {chain_id} slow {endpoint} endpoint #{place}")
            }
            Self::Claimant { name, .. } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn chain() -> ChainId {
        ChainId::from(901)
    }

    /// The part after this one, in the order of the enum. Written as a match, so that no part is left out.
    fn after(part: &HealthPart) -> Option<HealthPart> {
        Some(match part {
            HealthPart::L1Endpoint => HealthPart::L1StalledHead,
            HealthPart::L1StalledHead => HealthPart::L1SlowEndpoint,
            HealthPart::L1SlowEndpoint => HealthPart::Ledger,
            HealthPart::Ledger => HealthPart::LedgerReads,
            HealthPart::LedgerReads => HealthPart::Endpoints(chain()),
            HealthPart::Endpoints(_) => HealthPart::Heads(chain()),
            HealthPart::Heads(_) => HealthPart::RollupNodes(chain()),
            HealthPart::RollupNodes(_) => HealthPart::Branch(chain()),
            HealthPart::Branch(_) => HealthPart::OpenCases(chain()),
            HealthPart::OpenCases(_) => HealthPart::Monitor(chain()),
            HealthPart::Monitor(_) => HealthPart::Following(chain()),
            HealthPart::Following(_) => HealthPart::Peers(chain()),
            HealthPart::Peers(_) => HealthPart::Clock(chain()),
            HealthPart::Clock(_) => HealthPart::UnsafeBlockSigner(chain()),
            HealthPart::UnsafeBlockSigner(_) => HealthPart::RefusedUnsafeBlocks(chain()),
            HealthPart::RefusedUnsafeBlocks(_) => HealthPart::RefusedAttestations(chain()),
            HealthPart::RefusedAttestations(_) => HealthPart::StalledHead { chain_id: chain(), head: "HEAD" },
            HealthPart::StalledHead { .. } => {
                HealthPart::ServedHead { chain_id: chain(), level: SafetyLevel::Safe }
            }
            HealthPart::ServedHead { .. } => {
                HealthPart::SlowEndpoint { chain_id: chain(), endpoint: "KIND", place: 0 }
            }
            HealthPart::SlowEndpoint { .. } => {
                HealthPart::Claimant { chain_id: chain(), name: "claimant #0 of chain 901".to_owned() }
            }
            HealthPart::Claimant { .. } => return None,
        })
    }

    /// One part of each kind.
    fn parts() -> Vec<HealthPart> {
        std::iter::successors(Some(HealthPart::L1Endpoint), after).collect()
    }

    /// How the document writes the part: what differs from chain to chain has a name.
    fn documented(part: &HealthPart) -> String {
        let text = part.to_string().replace("901", "ID").replace("#0", "#N");
        match part {
            HealthPart::ServedHead { .. } => text.replace("safe", "LEVEL"),
            _ => text,
        }
    }

    #[test]
    fn every_part_is_documented_with_its_text_and_what_to_do() {
        let document = include_str!("../../docs/METRICS.md");
        let section = document.split("\n## Parts of readiness\n").nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let rows: Vec<Vec<&str>> =
            rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect();
        let found: Vec<(String, String)> =
            rows.iter().map(|row| (row[0].replace('`', ""), row[1].replace('`', ""))).collect();
        let expected: Vec<(String, String)> =
            parts().iter().map(|part| (part.kind().to_owned(), documented(part))).collect();
        assert_eq!(found, expected);
        assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| cell.len() > 4)), "{rows:?}");
    }

    #[test]
    fn a_kind_is_in_kebab_case_and_of_one_part() {
        let kinds: Vec<_> = parts().iter().map(HealthPart::kind).collect();
        let is_kebab = |kind: &str| kind.chars().all(|c| c.is_ascii_lowercase() || "1-".contains(c));
        assert!(kinds.iter().all(|kind| is_kebab(kind)), "{kinds:?}");
        assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
    }

    #[test]
    fn what_a_stalled_head_means_depends_on_whose_it_is() {
        let kind = |head| HealthPart::StalledHead { chain_id: chain(), head }.alert_kind();
        assert_eq!(kind("execution"), AlertKind::ExecutionHeadNotMoving);
        assert_eq!(kind("vouched"), AlertKind::VouchedHeadNotMoving);
        assert_eq!(kind("unsafe"), AlertKind::RollupNodeHeadNotMoving);
    }

    #[test]
    fn a_part_of_a_chain_knows_it() {
        for part in parts() {
            let is_of_chain = part.to_string().contains("901");
            assert_eq!(part.chain_id(), is_of_chain.then_some(chain()), "{part}");
        }
    }
}
