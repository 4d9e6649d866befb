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
    /// An op-supernode whose super roots are compared.
    Supernode,
    /// An interop filter whose answers to access lists are compared.
    Filter,
}

impl EndpointKind {
    /// Every kind that belongs to a chain.
    pub const OF_CHAINS: [Self; 4] = [Self::L1, Self::Execution, Self::RollupNode, Self::Claimant];

    /// Its name, in metrics and findings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::Execution => "execution",
            Self::RollupNode => "rollup-node",
            Self::Claimant => "claimant",
            Self::Supernode => "supernode",
            Self::Filter => "filter",
        }
    }
}
