//! The events of a verdict, or of a vouched head: written with the fact that they report, in one transaction.

use super::{BoundVerdict, Decided, RefutedClaim, Retraction};
use crosscheck_core::case::{KnownVerdict, Verdict};
use crosscheck_core::events::Event;
use crosscheck_core::message::BlockKey;
use std::borrow::Cow;

/// What there is to report of a vouched head that has left a branch.
pub(super) const fn retraction_event(retraction: &Retraction) -> Event {
    let Retraction { chain_id, from, to, reason } = *retraction;
    Event::Retraction { chain_id, from, to, reason: reason.name() }
}

/// What there is to report of a verdict.
pub(super) fn verdict_event(block: BlockKey, verdict: &Verdict, decided: &Decided) -> Event {
    let &Decided { attributable, ancestor_of, .. } = decided;
    Event::Verdict {
        block,
        verdict: verdict.name().into(),
        reason: verdict.reason().map(Cow::from),
        detail: verdict.detail(),
        attributable,
        ancestor_of,
    }
}

/// What there is to report of a verdict when the block is bound to its signer afterwards.
pub(super) fn attributed_event(block: BlockKey, verdict: KnownVerdict) -> Event {
    let KnownVerdict { kind, reason, detail } = verdict;
    let (verdict, reason) = (kind.name().into(), reason.map(Cow::from));
    Event::Verdict { block, verdict, reason, detail, attributable: Some(true), ancestor_of: None }
}

/// The same when it is bound by a block on top of it.
pub(super) fn bound_event(bound: &BoundVerdict) -> Event {
    let BoundVerdict { key, verdict, attributable, ancestor_of } = bound.clone();
    let KnownVerdict { kind, reason, detail } = verdict;
    let (verdict, reason) = (kind.name().into(), reason.map(Cow::from));
    Event::Verdict { block: key, verdict, reason, detail, attributable, ancestor_of: Some(ancestor_of) }
}

/// What there is to report of a claim that was refuted.
pub(super) fn claim_refuted_event(refuted: &RefutedClaim) -> Event {
    let RefutedClaim { key, claimant, claimed, verdict } = refuted.clone();
    let KnownVerdict { kind, reason, detail } = verdict;
    let (verdict, reason) = (kind.name().into(), reason.map(Cow::from));
    Event::ClaimRefuted { block: key, claimant, claimed, verdict, reason, detail }
}

/// What there is to report of a verdict that is taken back.
pub(super) fn withdrawn_event(block: BlockKey, verdict: KnownVerdict) -> Event {
    let KnownVerdict { kind, reason, .. } = verdict;
    Event::VerdictTakenBack { block, verdict: kind.name().into(), reason: reason.map(Cow::from) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::case::{InvalidMessage, Violation};
    use crosscheck_core::validity::InvalidReason;
    use crosscheck_p2p::ChainId;
    use serde_json::json;

    fn block() -> BlockKey {
        BlockKey { chain_id: ChainId::from(901), number: 20, hash: B256::repeat_byte(1) }
    }

    #[test]
    fn a_verdict_is_reported_with_its_name() {
        let written =
            serde_json::to_value(verdict_event(block(), &Verdict::Upheld, &Decided::default())).unwrap();
        assert_eq!(written["kind"], "verdict");
        assert_eq!((&written["verdict"], &written["block"]["number"]), (&json!("upheld"), &json!(20)));
        assert_eq!(written["attributable"], json!(null));
    }

    #[test]
    fn a_verdict_that_becomes_attributable_is_reported_with_the_same_reason() {
        let invalid = InvalidMessage { log_index: 3, reason: InvalidReason::ExecutedByDeposit };
        let verdict = Verdict::Violated(Violation::InvalidMessage(invalid));
        let first = serde_json::to_value(verdict_event(
            block(),
            &verdict,
            &Decided { attributable: Some(false), ..Decided::default() },
        ))
        .unwrap();
        let known = KnownVerdict {
            kind: verdict.kind(),
            reason: verdict.reason().map(str::to_owned),
            detail: verdict.detail(),
        };
        let mut again = serde_json::to_value(attributed_event(block(), known)).unwrap();
        assert_eq!((&first["attributable"], &again["attributable"]), (&json!(false), &json!(true)));
        again["attributable"] = json!(false);
        assert_eq!(first, again);
    }
}
