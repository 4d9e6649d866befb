//! What op-node and kona-node demand of a status that they follow, written down from their source, and
//! checked against what a sidecar serves.
//!
//! op-node (`--l2.follow.source`):
//! - polling and checks: `Driver.followUpstream`,
//!   <https://github.com/ethereum-optimism/optimism/blob/4c8b17472b/op-node/rollup/driver/driver.go>
//! - what is done with the heads: `EngineController.FollowSource`, `promoteFinalized`,
//!   <https://github.com/ethereum-optimism/optimism/blob/4c8b17472b/op-node/rollup/engine/engine_controller.go>
//!
//! kona-node (`--l2.follow.source`):
//! - polling and checks: `DelegateDerivationActor::validate_sync_status`,
//!   <https://github.com/ethereum-optimism/optimism/blob/399b85e3a3a1b9f5a54df9c563e7503f9d21ffb3/rust/kona/crates/node/service/src/actors/derivation/delegated/actor.rs>
//! - finalizing by hash: the engine's `FinalizeTask`, whose errors on a block that is not safe or not found
//!   are critical,
//!   <https://github.com/ethereum-optimism/optimism/blob/e09ceba406ac4eb997d2df091790dedb356344c7/rust/kona/crates/node/engine/src/task_queue/tasks/finalize/task.rs>

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck::for_tests::{L2Ref, ServedStatus};
use serde_json::Value;
use std::collections::BTreeMap;

/// L1 as the follower's own L1 client has it: hashes by height.
pub(crate) type L1View = BTreeMap<u64, B256>;

fn check_origin(l1: &L1View, what: &str, origin: BlockNumHash) -> Result<(), String> {
    match l1.get(&origin.number) {
        Some(hash) if *hash == origin.hash => Ok(()),
        found => Err(format!("{what}: L1 block {} is {found:?}, not {}", origin.number, origin.hash)),
    }
}

fn current_l1(status: &ServedStatus) -> BlockNumHash {
    BlockNumHash { hash: status.l1.current_l1.hash, number: status.l1.current_l1.number }
}

/// What a follower would lose, or take for a reorg, if it went from one status to the next.
fn check_step(previous: Option<&ServedStatus>, status: &ServedStatus) -> Result<(), String> {
    let Some(previous) = previous else { return Ok(()) };
    for (level, old, new) in [
        ("safe", previous.safe_l2, status.safe_l2),
        ("finalized", previous.finalized_l2, status.finalized_l2),
    ] {
        if new.number < old.number {
            return Err(format!("{level} goes back from {} to {}", old.number, new.number));
        }
        // op-node compares references as wholes.
        if new.number == old.number && new != old {
            return Err(format!("{level} changes at {}: {old:?}, then {new:?}", new.number));
        }
    }
    Ok(())
}

/// op-node drops a status, or loses a part of it, exactly if this is an error.
pub(crate) fn check_as_op_node(
    previous: Option<&ServedStatus>,
    status: &ServedStatus,
    l1: &L1View,
) -> Result<(), String> {
    let ServedStatus { safe_l2: safe, local_safe_l2: local_safe, finalized_l2: finalized, .. } = status;
    if safe.number > local_safe.number {
        return Err(format!("safe {} is ahead of local-safe {}", safe.number, local_safe.number));
    }
    if finalized.number > safe.number {
        return Err(format!("finalized {} is ahead of safe {}", finalized.number, safe.number));
    }
    for (what, head) in [("local-safe", local_safe), ("safe", safe), ("finalized", finalized)] {
        check_origin(l1, what, head.l1_origin)?;
    }
    // An absent current_l1 is tolerated, another block is not.
    if !status.l1.current_l1.hash.is_zero() {
        check_origin(l1, "current_l1", current_l1(status))?;
    }
    check_step(previous, status)
}

/// kona-node drops a status, or ends its engine, exactly if this is an error. `has` tells whether the
/// follower's execution client knows a block.
pub(crate) fn check_as_kona_node(
    previous: Option<&ServedStatus>,
    status: &ServedStatus,
    l1: &L1View,
    has: impl Fn(&L2Ref) -> bool,
) -> Result<(), String> {
    check_origin(l1, "safe", status.safe_l2.l1_origin)?;
    check_origin(l1, "finalized", status.finalized_l2.l1_origin)?;
    check_origin(l1, "current_l1", current_l1(status))?;
    for (what, head) in [("safe", &status.safe_l2), ("finalized", &status.finalized_l2)] {
        if !has(head) {
            return Err(format!("the execution client has no {what} block {} ({})", head.number, head.hash));
        }
    }
    if status.finalized_l2.number > status.safe_l2.number {
        return Err("a block that is not safe cannot be finalized".to_owned());
    }
    check_step(previous, status)
}

/// The fields that op-node's and kona-node's decoders know; kona-node's is strict about those that are
/// missing.
const REQUIRED: [&str; 11] = [
    "current_l1",
    "current_l1_finalized",
    "head_l1",
    "safe_l1",
    "finalized_l1",
    "unsafe_l2",
    "cross_unsafe_l2",
    "local_safe_l2",
    "pending_safe_l2",
    "safe_l2",
    "finalized_l2",
];

/// A status as a follower decodes it.
pub(crate) fn decode(answer: &Value) -> Result<ServedStatus, String> {
    for field in REQUIRED {
        let number = answer.get(field).and_then(|head| head.get("number"));
        if !number.is_some_and(Value::is_u64) {
            return Err(format!("{field} has no plain number"));
        }
    }
    serde_json::from_value(answer.clone()).map_err(|error| error.to_string())
}

mod scripted {
    use super::*;
    use alloy::eips::BlockNumHash;
    use alloy::primitives::keccak256;
    use crosscheck::for_tests::FollowMode;
    use crosscheck::for_tests::Hold;
    use crosscheck::for_tests::StatusDocument;
    use crosscheck::for_tests::{
        CanonicalHashes, Draft, Facts, FinalLimit, KeepFacts, Lagoon, Reading, UpstreamStatus, Vouched,
    };
    use serde_json::{json, value::to_raw_value};

    fn hash(name: &str) -> B256 {
        keccak256(name)
    }

    fn l1_block(number: u64) -> Value {
        json!({
            "hash": hash(&format!("l1 {number}")), "number": number,
            "parentHash": hash(&format!("l1 {}", number.saturating_sub(1))), "timestamp": 12 * number,
        })
    }

    fn l2_block(branch: &str, number: u64) -> Value {
        let parent = number.saturating_sub(1);
        let parent_branch = if number == FORK { "main" } else { branch };
        json!({
            "hash": hash(&format!("{branch} {number}")), "number": number,
            "parentHash": hash(&format!("{parent_branch} {parent}")), "timestamp": 2 * number,
            "l1origin": { "hash": hash(&format!("l1 {}", number / 6)), "number": number / 6 },
            "sequenceNumber": number % 6,
        })
    }

    /// The height at which the branches part.
    const FORK: u64 = 12;

    fn l2(branch: &str, number: u64) -> L2Ref {
        serde_json::from_value(l2_block(branch, number)).unwrap()
    }

    fn branch_at(branch: &'static str, number: u64) -> &'static str {
        if number < FORK { "main" } else { branch }
    }

    /// One moment of the script: where the upstream is, and what is vouched for.
    struct Moment {
        branch: &'static str,
        heads: [u64; 4],
        vouched: (&'static str, u64),
        replaces: Option<L2Ref>,
        is_held: bool,
    }

    fn upstream(moment: &Moment) -> UpstreamStatus {
        let l2 = |number| l2_block(branch_at(moment.branch, number), number);
        let [tip, local_safe, safe, finalized] = moment.heads;
        let current = l1_block(tip / 6 + 1);
        let status = json!({
            "current_l1": current, "current_l1_finalized": l1_block(1), "head_l1": current,
            "safe_l1": l1_block(1), "finalized_l1": l1_block(1),
            "unsafe_l2": l2(tip), "local_safe_l2": l2(local_safe), "safe_l2": l2(safe), "finalized_l2": l2(finalized),
        });
        UpstreamStatus::read(&StatusDocument::read(&to_raw_value(&status).unwrap()).unwrap()).unwrap()
    }

    fn serve(moment: &Moment, last: Option<&ServedStatus>, lagoon: Lagoon) -> Option<ServedStatus> {
        let upstream = upstream(moment);
        let (branch, number) = moment.vouched;
        let vouched = Vouched {
            block: l2(branch_at(branch, number), number),
            replaces: moment.replaces.map(|block| block.hash),
            final_limit: FinalLimit::None,
        };
        let mut canonical = CanonicalHashes::default();
        for number in 0..=moment.heads[0] {
            canonical.insert(number, l2(branch_at(moment.branch, number), number).hash);
        }
        let hold = moment.is_held.then(|| Hold {
            number: number + 1,
            hash: B256::ZERO,
            verdict: "violated".to_owned(),
            reason: None,
            detail: None,
            attributable: Some(true),
            ancestor_of: None,
            claimants: Vec::new(),
        });
        let held = hold.as_ref().and_then(|hold| {
            let hash = canonical.at(hold.number)?;
            Some(BlockNumHash { number: hold.number, hash })
        });
        let invalid: Vec<BlockNumHash> = held.into_iter().collect();
        let reading = Reading { upstream: &upstream, canonical: &canonical, invalid: &invalid, lagoon };
        let hold = hold.as_ref();
        let facts = Facts { mode: FollowMode::Attested, reading, vouched: &vouched, hold, last };
        let replaced = vouched.replaces.map(|hash| BlockNumHash { number, hash });
        let kept =
            |last| Draft::kept(&KeepFacts { last, reading, vouched: Some(vouched.block), replaced, hold });
        let draft = Draft::next(&facts).ok().or_else(|| last.map(kept));
        draft.map(|draft| draft.below(&invalid))
    }

    const fn moment(branch: &'static str, heads: [u64; 4], vouched: (&'static str, u64)) -> Moment {
        Moment { branch, heads, vouched, replaces: None, is_held: false }
    }

    /// Growth, a violated block, its replacement, a sibling that restarts and one that is on a fork.
    fn script() -> Vec<Moment> {
        vec![
            moment("main", [10, 8, 8, 2], ("main", 4)),
            moment("main", [14, 11, 11, 4], ("main", 9)),
            moment("main", [20, 16, 16, 11], ("main", 10)),
            Moment { is_held: true, ..moment("main", [24, 20, 20, 12], ("main", 11)) },
            Moment { replaces: Some(l2("main", 12)), ..moment("main", [30, 26, 26, 14], ("replaced", 12)) },
            // The sibling restarts, far behind.
            moment("main", [6, 5, 5, 1], ("replaced", 12)),
            // It is on neither branch.
            moment("other", [30, 26, 26, 14], ("replaced", 12)),
            // It has come over to the replacement.
            moment("replaced", [32, 28, 28, 16], ("replaced", 13)),
            moment("replaced", [40, 36, 36, 24], ("replaced", 30)),
        ]
    }

    #[test]
    fn both_nodes_accept_every_scripted_status() {
        let l1: L1View = (0..20).map(|number| (number, hash(&format!("l1 {number}")))).collect();
        let mut served: Option<ServedStatus> = None;
        let mut safe_heads = Vec::new();
        for moment in script() {
            if let Some(next) = serve(&moment, served.as_ref(), Lagoon::at(0)) {
                let decoded = decode(&serde_json::to_value(&next).unwrap()).unwrap();
                assert_eq!(decoded, next);
                check_as_op_node(served.as_ref(), &decoded, &l1).unwrap();
                let known =
                    |block: &L2Ref| block.hash == l2(branch_at("replaced", block.number), block.number).hash;
                check_as_kona_node(served.as_ref(), &decoded, &l1, known).unwrap();
                served = Some(next);
            }
            safe_heads
                .push(served.as_ref().map(|status| (status.safe_l2.number, status.local_safe_l2.number)));
        }
        let expected =
            [(4, 8), (9, 11), (10, 16), (11, 11), (12, 12), (12, 12), (12, 12), (13, 28), (30, 36)].map(Some);
        assert_eq!(safe_heads, expected);
    }

    /// What op-node takes for safe once it has taken a status: a local-safe block from before Lagoon is safe
    /// at once (`localSafeIsFullySafe`, v1.19.6).
    fn safe_of_op_node(status: &ServedStatus, lagoon: Lagoon) -> L2Ref {
        let local_safe = status.local_safe_l2;
        let is_promoted =
            !lagoon.is_active_at(local_safe.timestamp) && local_safe.number > status.safe_l2.number;
        if is_promoted { local_safe } else { status.safe_l2 }
    }

    #[test]
    fn op_node_considers_nothing_above_the_vouched_head_safe_before_and_after_lagoon() {
        for lagoon in [Lagoon::NEVER, Lagoon::at(30), Lagoon::at(2 * FORK), Lagoon::at(0)] {
            let mut served = None;
            let mut vouched = 0;
            for moment in script() {
                served = serve(&moment, served.as_ref(), lagoon).or(served);
                vouched = vouched.max(moment.vouched.1);
                let safe = served.as_ref().map(|status| safe_of_op_node(status, lagoon).number);
                assert!(safe.is_none_or(|safe| safe <= vouched), "{lagoon:?}: {safe:?} above {vouched}");
            }
        }
    }

    /// The rules are no rubber stamp: each of these is refused.
    #[test]
    fn the_rules_refuse_what_the_nodes_refuse() {
        let l1: L1View = (0..20).map(|number| (number, hash(&format!("l1 {number}")))).collect();
        let good = serve(&moment("main", [10, 8, 8, 2], ("main", 4)), None, Lagoon::at(0)).unwrap();
        let changed = |change: fn(&mut ServedStatus)| {
            let mut status = good.clone();
            change(&mut status);
            status
        };
        let op_node = |status: &ServedStatus| check_as_op_node(Some(&good), status, &l1);
        let kona_node = |status: &ServedStatus| check_as_kona_node(Some(&good), status, &l1, |_| true);
        assert!(op_node(&good).is_ok() && kona_node(&good).is_ok());
        for status in [
            changed(|status| status.safe_l2.number = 9),
            changed(|status| status.finalized_l2.number = 5),
            changed(|status| status.local_safe_l2.l1_origin.hash = B256::ZERO),
            changed(|status| status.l1.current_l1.number = 19),
            changed(|status| status.safe_l2 = l2("main", 3)),
            changed(|status| status.safe_l2.sequence_number = 0),
        ] {
            assert!(op_node(&status).is_err(), "{status:?}");
        }
        for status in [
            changed(|status| status.finalized_l2.number = 5),
            changed(|status| status.safe_l2.l1_origin.hash = B256::ZERO),
            changed(|status| status.l1.current_l1.hash = B256::ZERO),
            changed(|status| status.safe_l2 = l2("main", 3)),
        ] {
            assert!(kona_node(&status).is_err(), "{status:?}");
        }
        assert!(check_as_kona_node(None, &good, &l1, |_| false).is_err());
        let mut without = serde_json::to_value(&good).unwrap();
        without.as_object_mut().unwrap().remove("cross_unsafe_l2");
        assert!(decode(&without).is_err());
    }
}
