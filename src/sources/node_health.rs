//! [`NodeHealth`]: the state of a rollup node of a chain's list. Pure.

use super::{EndpointUrl, Shortfall};

/// The state of a rollup node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Nobody has asked it yet.
    Unasked,
    /// It could be worked with.
    Useful,
    /// It names no heads, or no local-safe one.
    NoHeads,
    /// It does not see L1.
    NoL1,
    /// It is not as far as another one was.
    Behind,
    /// It does not answer, or follows another chain.
    Failing,
}

impl NodeState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Unasked, Self::Useful, Self::NoHeads, Self::NoL1, Self::Behind, Self::Failing];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Useful => "useful",
            Self::NoHeads => "no-heads",
            Self::NoL1 => "no-l1",
            Self::Behind => "behind",
            Self::Failing => "failing",
        }
    }

    /// The state of a node whose status lacks this.
    pub(super) const fn of(shortfall: Option<Shortfall>) -> Self {
        match shortfall {
            None => Self::Useful,
            Some(Shortfall::NoHeads | Shortfall::NoLocalSafe) => Self::NoHeads,
            Some(Shortfall::L1(_)) => Self::NoL1,
            Some(Shortfall::Behind) => Self::Behind,
        }
    }
}

/// One rollup node of a chain, and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHealth {
    /// Its place in the list, counted from 0.
    pub place: usize,
    /// Where it is; shown without its secrets.
    pub endpoint: EndpointUrl,
    /// Its state.
    pub state: NodeState,
    /// The problem, in words; empty if there is none.
    pub detail: String,
    /// Whether the chain's heads are taken from it.
    pub is_in_use: bool,
}

impl NodeHealth {
    /// A node that has not been asked yet.
    pub(super) const fn new(place: usize, endpoint: EndpointUrl) -> Self {
        Self { place, endpoint, state: NodeState::Unasked, detail: String::new(), is_in_use: false }
    }
}
