//! The clauses of validity, each with its state: satisfied, broken, or not reached. Pure.
//!
//! Clauses are checked in one order (`validity::rules`). If one is broken, those before it are satisfied.

use crosscheck_core::validity::InvalidReason;
use serde::Serialize;

/// The state of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ClauseState {
    /// It is satisfied.
    Ok,
    /// It is broken.
    Broken,
    /// The data that it needs was unavailable.
    Unknown,
    /// One before it is broken or unknown.
    NotChecked,
}

/// A clause and its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Clause {
    /// What must be the case.
    pub clause: &'static str,
    /// Whether it is.
    pub state: ClauseState,
}

/// How many of the clauses could be checked, if none is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// What the message claims by itself could not be checked: the executing block is not known.
    Nothing,
    /// What it claims by itself is valid; the cited block could not be checked.
    Claim,
    /// Every clause about the message itself is satisfied; whether the cited block is valid could not be
    /// determined.
    Alone,
    /// Every clause is satisfied.
    Everything,
}

/// The clauses in their order, with the reasons that break them.
const ORDER: [(&str, &[&str]); 11] = [
    ("it is not executed by a deposit", &["executed-by-deposit"]),
    ("the executing chain is in the dependency set", &["executing-chain-unknown"]),
    ("the initiating chain is in the dependency set", &["unknown-chain"]),
    ("both sides are past their activation blocks", &["not-active"]),
    ("it is not initiated after its execution", &["initiated-after-execution"]),
    ("it has not expired", &["expired"]),
    ("the initiating chain has the block", &["block-not-found"]),
    ("the block has the timestamp", &["timestamp-mismatch"]),
    ("the block has a log at the index", &["log-not-found"]),
    ("the log matches the message", &["wrong-log-index", "wrong-origin", "payload-mismatch"]),
    (
        "there is no cycle at its timestamp, and the cited block is valid",
        &["cycle", "initiating-block-invalid"],
    ),
];

/// How many clauses are about the claim alone.
const CLAIM: usize = 6;

/// How many clauses are about one message by itself.
const ALONE: usize = 10;

/// Every clause, if one is broken for this reason.
pub(super) fn broken(reason: &InvalidReason) -> Vec<Clause> {
    let at = ORDER.iter().position(|(_, codes)| codes.contains(&reason.code()));
    clauses(at.unwrap_or(ORDER.len()), Some(ClauseState::Broken))
}

/// Every clause, if none is known to be broken.
pub(super) fn unbroken(reached: Reached) -> Vec<Clause> {
    match reached {
        Reached::Nothing => clauses(0, Some(ClauseState::Unknown)),
        Reached::Claim => clauses(CLAIM, Some(ClauseState::Unknown)),
        Reached::Alone => clauses(ALONE, Some(ClauseState::Unknown)),
        Reached::Everything => clauses(ORDER.len(), None),
    }
}

/// The clauses before `at` are satisfied, the one there has this state, and those after it were not checked.
fn clauses(at: usize, there: Option<ClauseState>) -> Vec<Clause> {
    let state = |place: usize| match place.cmp(&at) {
        std::cmp::Ordering::Less => ClauseState::Ok,
        std::cmp::Ordering::Equal => there.unwrap_or(ClauseState::NotChecked),
        std::cmp::Ordering::Greater => ClauseState::NotChecked,
    };
    ORDER.iter().enumerate().map(|(place, (clause, _))| Clause { clause, state: state(place) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::{ChainId, UnixSeconds};
    use rstest::rstest;

    /// The codes in the column of reasons of the first table after a heading, row by row. The table is in a
    /// document, or in the documentation of a file.
    fn documented(text: &str, heading: &str) -> Vec<String> {
        let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("{heading:?} does not exist"));
        let lines = rest.lines().map(|line| line.trim_start_matches("//!").trim());
        let rows = lines.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let mut rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        let head = rows.next().unwrap();
        let column = head.iter().position(|cell| cell.starts_with("reason")).unwrap();
        let cells = rows.skip(1).map(|row| row[column].to_owned());
        cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    const INTEROP: &str = include_str!("../../../docs/INTEROP.md");

    #[test]
    fn every_clause_of_an_executed_message_is_in_each_list() {
        let shown: Vec<&str> = ORDER.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        assert_eq!(shown, InvalidReason::OF_EXECUTED);
        let rules = documented(include_str!("../../../core/src/validity/rules.rs"), "");
        let mut described = documented(INTEROP, "## The clauses of an executed message");
        assert_eq!(described, rules, "docs/INTEROP.md and core/src/validity/rules.rs differ");
        // One clause a side.
        described.dedup();
        assert_eq!(described, InvalidReason::OF_EXECUTED);
    }

    #[test]
    fn every_clause_of_a_declared_message_is_in_each_list() {
        let rules = documented(include_str!("../../../core/src/validity/access_rules.rs"), "");
        assert_eq!(rules, InvalidReason::OF_DECLARED, "core/src/validity/access_rules.rs");
        let described = documented(INTEROP, "## The clauses of a declared message");
        assert_eq!(described, InvalidReason::OF_DECLARED, "docs/INTEROP.md");
    }

    fn count(clauses: &[Clause], state: ClauseState) -> usize {
        clauses.iter().filter(|clause| clause.state == state).count()
    }

    #[rstest]
    #[case::first(InvalidReason::ExecutedByDeposit, 0)]
    #[case::claim(InvalidReason::UnknownChain { chain_id: ChainId::from(1) }, 2)]
    #[case::last_alone(InvalidReason::WrongLogIndex { claimed: 1, found: 2 }, 9)]
    #[case::beyond(InvalidReason::Cycle { timestamp: UnixSeconds(1) }, 10)]
    fn clauses_before_the_broken_one_are_valid(#[case] reason: InvalidReason, #[case] satisfied: usize) {
        let clauses = broken(&reason);
        assert_eq!(count(&clauses, ClauseState::Ok), satisfied);
        assert_eq!(count(&clauses, ClauseState::Broken), 1);
        assert_eq!(clauses[satisfied].state, ClauseState::Broken);
    }

    #[rstest]
    #[case::nothing(Reached::Nothing, 0, 1)]
    #[case::claim(Reached::Claim, 6, 1)]
    #[case::alone(Reached::Alone, 10, 1)]
    #[case::everything(Reached::Everything, 11, 0)]
    fn an_unknown_clause_is_never_valid(
        #[case] reached: Reached,
        #[case] satisfied: usize,
        #[case] unknown: usize,
    ) {
        let clauses = unbroken(reached);
        assert_eq!(count(&clauses, ClauseState::Ok), satisfied);
        assert_eq!(count(&clauses, ClauseState::Unknown), unknown);
        assert_eq!(count(&clauses, ClauseState::Broken), 0);
    }
}
