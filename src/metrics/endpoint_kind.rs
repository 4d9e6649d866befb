//! [`EndpointKind`]: what is asked.

/// What kind of server an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// An execution client of L1.
    L1,
    /// An execution client of a chain.
    Execution,
    /// A chain's rollup node.
    RollupNode,
    /// An endpoint whose safe head is a claim.
    Claimant,
}

impl EndpointKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::L1, Self::Execution, Self::RollupNode, Self::Claimant];

    /// Its name, in metrics and findings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::Execution => "execution",
            Self::RollupNode => "rollup-node",
            Self::Claimant => "claimant",
        }
    }
}
