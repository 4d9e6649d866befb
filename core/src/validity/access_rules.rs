//! The validity of one declared message: an entry of the inbox's part of an access list.
//!
//! There are two checks of one entry. [`check_access`] is for an execution client before it accepts a
//! transaction (`interop_checkAccessList`): the message must be strictly older than the block that executes
//! it, and remain valid for a timeout. [`check_suspect`] is for a block that was built already, with the
//! bounds of [`check_claim`](super::check_claim) for executed messages. The checks of the cited block are the
//! same for both: only the checksum binds, anything else in the entry is a hint where to find the message.
//!
//! | clause | reason | boundary |
//! | --- | --- | --- |
//! | executing chain watched, if it is named | `executing-chain-unknown` | |
//! | initiating chain in the executing chain's set | `unknown-chain` | |
//! | both sides past their activation blocks | `not-active` | the activation block itself is too early |
//! | initiated before execution | `initiated-after-execution` | equal: no ([`check_access`]), yes ([`check_suspect`]) |
//! | not expired at the timestamp plus the timeout | `expired` | `initiated + window` itself is in time |
//! | the block exists | `block-not-found` | a canonical block past the timestamp without that height |
//! | the block has the timestamp | `timestamp-mismatch` | |
//! | the block has the log | `log-not-found` | |
//! | the log has the checksum | `checksum-mismatch` | |

use super::times::Times;
use super::{DependencySet, Execution, InvalidReason, Objection};
use crate::message::{Checksum, Identifier, InboxAccess, Message};
use crate::proof::ProvenLogs;
use crosscheck_p2p::{ChainId, UnixSeconds};

/// When, and by whom, a declared message is to be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessContext {
    /// The executing chain. `None`: the caller does not name it, and it is not checked.
    pub executing: Option<ChainId>,
    /// The earliest timestamp at which it may be executed.
    pub timestamp: UnixSeconds,
    /// For how many seconds after that it must stay executable, the last one included.
    pub timeout: u64,
}

/// Checks what an entry claims by itself, for a transaction that is not in a block yet.
///
/// # Errors
/// The first clause that it breaks.
pub fn check_access(
    set: &DependencySet,
    context: AccessContext,
    access: &InboxAccess,
) -> Result<(), Objection> {
    let times = Times {
        executing: context.executing,
        executed: context.timestamp,
        // Beyond representable time every window is over.
        latest: UnixSeconds(context.timestamp.0.saturating_add(context.timeout)),
        initiating: access.chain_id,
        initiated: access.timestamp,
        may_be_equal: false,
    };
    times.check(set)
}

/// Checks what an entry claims by itself, for a transaction of a block.
///
/// # Errors
/// The first clause that it breaks, or the reason why the known rules do not decide.
pub fn check_suspect(
    set: &DependencySet,
    execution: Execution,
    access: &InboxAccess,
) -> Result<(), Objection> {
    let times = Times {
        executing: Some(execution.chain_id),
        executed: execution.timestamp,
        latest: execution.timestamp,
        initiating: access.chain_id,
        initiated: access.timestamp,
        may_be_equal: true,
    };
    times.check(set)
}

/// Checks an entry against a chain that is already past its timestamp, without its block.
///
/// `tip` is the number and timestamp of a canonical block of the initiating chain. `None`: the chain may
/// still come to the block. A tip of that very timestamp decides nothing: nothing says that a timestamp has
/// one block only.
pub const fn check_access_tip(access: &InboxAccess, tip: (u64, UnixSeconds)) -> Option<InvalidReason> {
    let &InboxAccess { chain_id, block_number, timestamp, .. } = access;
    let (tip, at) = tip;
    if block_number > tip && at.0 > timestamp.0 {
        return Some(InvalidReason::BlockNotFound { chain_id, number: block_number, timestamp, tip });
    }
    None
}

/// Checks an entry against the proven logs of the canonical block at its height.
///
/// # Errors
/// The first clause that it breaks.
pub fn check_access_log(access: &InboxAccess, block: &ProvenLogs) -> Result<(), InvalidReason> {
    let &InboxAccess { chain_id, block_number: number, timestamp: claimed, log_index: index, .. } = access;
    if block.timestamp() != claimed {
        let found = block.timestamp();
        return Err(InvalidReason::TimestampMismatch { chain_id, number, claimed, found });
    }
    let Some(log) = block.log(index) else {
        return Err(InvalidReason::LogNotFound { chain_id, number, index, logs: block.len() });
    };
    let identifier = Identifier {
        origin: log.origin,
        block_number: number,
        log_index: index,
        timestamp: claimed,
        chain_id,
    };
    let found = Checksum::of(&Message { identifier, payload_hash: log.payload_hash });
    if found != access.checksum {
        let (claimed, found) = (access.checksum.as_word(), found.as_word());
        return Err(InvalidReason::ChecksumMismatch { claimed, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{encode_access_list, parse_access_list};
    use crate::proof::ProvenLog;
    use crate::validity::Member;
    use alloy::primitives::{Address, B256, U256};
    use rstest::rstest;

    /// Interop since 100, blocks every 2 s, messages good for 50 s.
    fn set() -> DependencySet {
        let member = Member { interop_time: UnixSeconds(100), block_time: 2 };
        DependencySet::new([901, 902].map(|id| (ChainId::from(id), member)).into(), 50)
    }

    fn message(initiating: u64, initiated: u64) -> Message {
        let identifier = Identifier {
            origin: Address::repeat_byte(0xee),
            block_number: 10,
            log_index: 1,
            timestamp: UnixSeconds(initiated),
            chain_id: ChainId::from(initiating),
        };
        Message { identifier, payload_hash: B256::repeat_byte(7) }
    }

    fn access(initiating: u64, initiated: u64) -> InboxAccess {
        parse_access_list(&encode_access_list(&message(initiating, initiated))).unwrap()[0]
    }

    fn code(outcome: Result<(), impl Into<Objection>>) -> Option<&'static str> {
        outcome.err().map(|objection| objection.into().code())
    }

    #[rstest]
    #[case::holds(Some(901), 902, 200, 210, 0, None)]
    #[case::own_chain(Some(901), 901, 200, 210, 0, None)]
    #[case::executing_chain_unknown(Some(903), 902, 200, 210, 0, Some("executing-chain-unknown"))]
    #[case::executing_chain_not_named(None, 902, 200, 210, 0, None)]
    #[case::initiating_chain_unknown(Some(901), 903, 200, 210, 0, Some("unknown-chain"))]
    #[case::not_watched_and_no_executing_chain_named(None, 903, 200, 210, 0, Some("unclear"))]
    #[case::executed_in_the_activation_block(Some(901), 902, 100, 101, 0, Some("not-active"))]
    #[case::executed_there_by_an_unknown_chain(None, 902, 102, 103, 0, None)]
    #[case::executed_right_after_activation(Some(901), 902, 102, 103, 0, None)]
    #[case::initiated_in_the_activation_block(Some(901), 902, 101, 110, 0, Some("not-active"))]
    #[case::initiated_right_after_activation(Some(901), 902, 102, 110, 0, None)]
    #[case::a_second_before(Some(901), 902, 209, 210, 0, None)]
    #[case::same_timestamp(Some(901), 902, 210, 210, 0, Some("initiated-after-execution"))]
    #[case::a_second_after(Some(901), 902, 211, 210, 0, Some("initiated-after-execution"))]
    #[case::at_the_edge_of_the_window(Some(901), 902, 200, 250, 0, None)]
    #[case::past_the_window(Some(901), 902, 200, 251, 0, Some("expired"))]
    #[case::timeout_to_the_edge(Some(901), 902, 200, 210, 40, None)]
    #[case::timeout_past_the_edge(Some(901), 902, 200, 210, 41, Some("expired"))]
    #[case::timeout_past_all_time(Some(901), 902, 200, 210, u64::MAX, Some("expired"))]
    fn declared(
        #[case] executing: Option<u64>,
        #[case] initiating: u64,
        #[case] initiated: u64,
        #[case] executed: u64,
        #[case] timeout: u64,
        #[case] broken: Option<&str>,
    ) {
        let executing = executing.map(ChainId::from);
        let context = AccessContext { executing, timestamp: UnixSeconds(executed), timeout };
        assert_eq!(code(check_access(&set(), context, &access(initiating, initiated))), broken);
    }

    #[rstest]
    #[case::same_timestamp(901, 902, 210, 210, None)]
    #[case::a_second_after(901, 902, 211, 210, Some("initiated-after-execution"))]
    #[case::at_the_edge_of_the_window(901, 902, 200, 250, None)]
    #[case::past_the_window(901, 902, 200, 251, Some("expired"))]
    #[case::executing_chain_unknown(903, 902, 200, 210, Some("executing-chain-unknown"))]
    #[case::initiating_chain_unknown(901, 903, 200, 210, Some("unknown-chain"))]
    #[case::executed_in_the_activation_block(901, 902, 102, 101, Some("not-active"))]
    #[case::initiated_in_the_activation_block(901, 902, 101, 110, Some("not-active"))]
    fn suspects(
        #[case] executing: u64,
        #[case] initiating: u64,
        #[case] initiated: u64,
        #[case] executed: u64,
        #[case] broken: Option<&str>,
    ) {
        let execution = Execution { chain_id: executing.into(), timestamp: UnixSeconds(executed) };
        assert_eq!(code(check_suspect(&set(), execution, &access(initiating, initiated))), broken);
    }

    #[rstest]
    #[case::chain_not_there_yet(9, 199, None)]
    #[case::chain_at_the_timestamp(9, 200, None)]
    #[case::chain_past_the_timestamp(9, 201, Some("block-not-found"))]
    #[case::block_exists(10, 202, None)]
    fn missing_blocks(#[case] tip: u64, #[case] at: u64, #[case] broken: Option<&str>) {
        let broken_by = check_access_tip(&access(902, 200), (tip, UnixSeconds(at)));
        assert_eq!(broken_by.map(|reason| reason.code()), broken);
    }

    fn log(origin: u8, payload: u8) -> ProvenLog {
        ProvenLog { origin: Address::repeat_byte(origin), payload_hash: B256::repeat_byte(payload) }
    }

    #[rstest]
    #[case::holds(200, vec![log(1, 1), log(0xee, 7)], None)]
    #[case::other_timestamp(201, vec![log(1, 1), log(0xee, 7)], Some("timestamp-mismatch"))]
    #[case::no_such_index(200, vec![log(0xee, 7)], Some("log-not-found"))]
    #[case::no_logs_at_all(200, vec![], Some("log-not-found"))]
    #[case::other_contract(200, vec![log(1, 1), log(1, 7)], Some("checksum-mismatch"))]
    #[case::other_payload(200, vec![log(1, 1), log(0xee, 8)], Some("checksum-mismatch"))]
    fn cited_blocks(#[case] timestamp: u64, #[case] logs: Vec<ProvenLog>, #[case] broken: Option<&str>) {
        let block = ProvenLogs::for_tests(ChainId::from(902), 10, UnixSeconds(timestamp), logs);
        assert_eq!(code(check_access_log(&access(902, 200), &block)), broken);
    }

    #[test]
    fn a_chain_id_is_bound_with_all_its_bits() {
        let wide = ChainId::from((U256::from(1) << 64) + U256::from(902));
        let mut set = set();
        assert_eq!(code(check_suspect(&set, execution(), &wide_access(wide))), Some("unknown-chain"));
        let member = Member { interop_time: UnixSeconds(100), block_time: 2 };
        set = DependencySet::new([(ChainId::from(901), member), (wide, member)].into(), 50);
        assert_eq!(check_suspect(&set, execution(), &wide_access(wide)), Ok(()));
        let narrow = InboxAccess { chain_id: 902.into(), ..wide_access(wide) };
        let block = ProvenLogs::for_tests(902.into(), 10, UnixSeconds(200), vec![log(1, 1), log(0xee, 7)]);
        assert_eq!(code(check_access_log(&narrow, &block)), Some("checksum-mismatch"));
    }

    fn execution() -> Execution {
        Execution { chain_id: 901.into(), timestamp: UnixSeconds(210) }
    }

    fn wide_access(chain_id: ChainId) -> InboxAccess {
        let mut message = message(902, 200);
        message.identifier.chain_id = chain_id;
        parse_access_list(&encode_access_list(&message)).unwrap()[0]
    }
}
