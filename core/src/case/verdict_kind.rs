//! [`VerdictKind`]: what a verdict says of a block, without its reason.

/// What a verdict says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerdictKind {
    /// It is what L1 says, and every message in it is valid.
    Upheld,
    /// It rightly replaces a block that had an invalid message.
    UpheldReplacement,
    /// What was attested is not so.
    Violated,
    /// It is not what L1 says.
    Discarded,
    /// L1 removed its branch for good.
    Superseded,
}

/// A name of no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is the name of no verdict")]
pub struct UnknownVerdict {
    name: String,
}

impl VerdictKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Upheld, Self::UpheldReplacement, Self::Violated, Self::Discarded, Self::Superseded];

    /// Its stable name, in the ledger, in metrics and for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::UpheldReplacement => "upheld-replacement",
            Self::Violated => "violated",
            Self::Discarded => "discarded",
            Self::Superseded => "superseded",
        }
    }

    /// Whether it says that the block is not what was attested.
    pub const fn is_wrong(self) -> bool {
        matches!(self, Self::Violated | Self::Discarded)
    }

    /// Whether the block may carry the vouched head.
    pub const fn is_upheld(self) -> bool {
        matches!(self, Self::Upheld | Self::UpheldReplacement)
    }
}

impl std::str::FromStr for VerdictKind {
    type Err = UnknownVerdict;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| UnknownVerdict { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_back_from_its_name_and_no_other_name_is_one() {
        for kind in VerdictKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let error = "Upheld".parse::<VerdictKind>().unwrap_err();
        assert_eq!(error.to_string(), "\"Upheld\" is the name of no verdict");
    }
}
