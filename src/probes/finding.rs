//! [`ProbeFinding`]: what a probe found out about an endpoint. Pure.

use crate::metrics::EndpointKind;
use crate::sources::{EndpointUrl, SourceError};
use core::fmt;
use crosscheck_p2p::ChainId;

/// The grade of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// All is well.
    Ok,
    /// It could not be asked. That says nothing about its state.
    NotDetermined,
    /// Crosscheck works, but not as well as it could, or not for all blocks.
    Doubt,
    /// Something does not work, or is not what it is configured to be.
    Fault,
}

impl Grade {
    /// Every grade, best first.
    pub(crate) const ALL: [Self; 4] = [Self::Ok, Self::NotDetermined, Self::Doubt, Self::Fault];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotDetermined => "not determined",
            Self::Doubt => "doubt",
            Self::Fault => "fault",
        }
    }
}

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Probe {
    /// Whether it serves the chain that it is configured for.
    ChainId,
    /// Whether it has the chain's first block.
    Genesis,
    /// Whether it works by the rules that are configured.
    Rules,
    /// Whether it knows the chain's heads, and sees L1.
    Heads,
    /// Whether it serves what it is asked for.
    Methods,
    /// Whether it has receipts of blocks as old as messages may cite.
    Receipts,
    /// Whether it keeps the safe heads by L1 block.
    SafeHeads,
    /// Whether what it calls safe was checked for messages.
    SafeMeans,
    /// Whether the SystemConfig that is read is the chain's.
    SystemConfig,
    /// Whom the SystemConfig names as signer.
    Signer,
    /// Whether this machine's clock and L1 agree.
    Clock,
    /// Which program it is.
    Version,
    /// Whether a peer of the chain's gossip can be dialled.
    Peers,
    /// Whether its answers can be compared with ours.
    Opinion,
}

impl Probe {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ChainId => "chain-id",
            Self::Genesis => "genesis",
            Self::Rules => "rules",
            Self::Heads => "heads",
            Self::Methods => "methods",
            Self::Receipts => "receipts",
            Self::SafeHeads => "safe-heads",
            Self::SafeMeans => "safe-means",
            Self::SystemConfig => "system-config",
            Self::Signer => "signer",
            Self::Clock => "clock",
            Self::Version => "version",
            Self::Peers => "peers",
            Self::Opinion => "opinion",
        }
    }
}

/// Who was asked. Shown without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An endpoint.
    Endpoint {
        /// What it is.
        kind: EndpointKind,
        /// Its place among the chain's endpoints of its kind, counted from 0. `None`: it is the only one.
        place: Option<usize>,
        /// Where it is.
        url: EndpointUrl,
    },
    /// The peers of a chain's gossip.
    Peers,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { kind, place: None, url } => write!(f, "{} {url}", kind.name()),
            Self::Endpoint { kind, place: Some(place), url } => write!(f, "{} #{place} {url}", kind.name()),
            Self::Peers => f.write_str("gossip"),
        }
    }
}

/// The state of something, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeVerdict {
    /// How well.
    pub(crate) grade: Grade,
    /// What was found.
    pub(crate) found: String,
    /// What to do; empty if nothing is.
    pub(crate) advice: String,
}

impl ProbeVerdict {
    /// All is well.
    pub(crate) fn ok(found: impl Into<String>) -> Self {
        Self { grade: Grade::Ok, found: found.into(), advice: String::new() }
    }

    /// It works, but not as well as it could.
    pub(crate) fn doubt(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { grade: Grade::Doubt, found: found.into(), advice: advice.into() }
    }

    /// It does not work.
    pub(crate) fn fault(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { grade: Grade::Fault, found: found.into(), advice: advice.into() }
    }

    /// It could not be asked.
    pub(crate) fn undetermined(error: &SourceError) -> Self {
        Self {
            grade: Grade::NotDetermined,
            found: error.to_string(),
            advice: "ask again once it answers".to_owned(),
        }
    }
}

/// What a probe found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeFinding {
    /// The chain that it is about. `None`: L1 as such, or several chains.
    pub(crate) chain_id: Option<ChainId>,
    /// Who was asked.
    pub(crate) asked: Asked,
    /// What about.
    pub(crate) probe: Probe,
    /// Its state.
    pub(crate) judgement: ProbeVerdict,
}

impl ProbeFinding {
    /// What it is about: a chain's id, `L1`, or `all`.
    pub(crate) fn subject(&self) -> String {
        let is_of_all = matches!(
            self.asked,
            Asked::Endpoint { kind: EndpointKind::Supernode | EndpointKind::Filter, .. }
        );
        let of_none = if is_of_all { "all" } else { "L1" };
        self.chain_id.map_or_else(|| of_none.to_owned(), |chain_id| chain_id.to_string())
    }

    /// Its grade.
    pub(crate) const fn grade(&self) -> Grade {
        self.judgement.grade
    }
}

/// The worst of several grades for who ends with one: a fault counts before what could not be asked, and a
/// doubt is none.
pub(crate) fn outcome(findings: &[ProbeFinding]) -> Grade {
    let has = |grade| findings.iter().any(|finding| finding.grade() == grade);
    if has(Grade::Fault) {
        Grade::Fault
    } else if has(Grade::NotDetermined) {
        Grade::NotDetermined
    } else {
        Grade::Ok
    }
}

/// How many findings there are of each grade, in words.
pub(crate) fn summary(findings: &[ProbeFinding]) -> String {
    let count = |grade: Grade| findings.iter().filter(|finding| finding.grade() == grade).count();
    let counts = Grade::ALL.map(|grade| format!("{} {}", count(grade), grade.name()));
    format!("{} probes: {}", findings.len(), counts.join(", "))
}
