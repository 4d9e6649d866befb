//! The validity of one executing message, clause by clause.
//!
//! The clauses, in the order in which they are checked against a message; the first that it breaks is its
//! reason. A clause in a later row may need more facts than one in an earlier, never fewer.
//!
//! | clause | reason | spec | checked by |
//! | --- | --- | --- | --- |
//! | it is not executed by a deposit | `executed-by-deposit` | derivation.md, deposit-only blocks | [`check_executed`] |
//! | the executing chain is one that is watched | `executing-chain-unknown` | messaging.md, chain id | [`check_claim`] |
//! | the initiating chain is in the executing chain's dependency set | `unknown-chain` | messaging.md, chain id | [`check_claim`] |
//! | the executing block is past its chain's activation block | `not-active` | derivation.md, activation block | [`check_claim`] |
//! | the initiating block is past its chain's activation block | `not-active` | derivation.md, activation block | [`check_claim`] |
//! | it is not initiated after its execution | `initiated-after-execution` | messaging.md, timestamp | [`check_claim`] |
//! | it is executed no later than initiated plus the window | `expired` | messaging.md, expiry | [`check_claim`] |
//! | the initiating chain has the block | `block-not-found` | messaging.md, identifier | [`check_tip`] |
//! | the block has the timestamp | `timestamp-mismatch` | messaging.md, identifier | [`check_log`] |
//! | the block has a log at the index | `log-not-found` | messaging.md, identifier | [`check_log`] |
//! | it is that log, and not one beside it | `wrong-log-index` | messaging.md, identifier | [`check_log`] |
//! | the log's emitter | `wrong-origin` | messaging.md, identifier | [`check_log`] |
//! | the log's payload | `payload-mismatch` | messaging.md, payload | [`check_log`] |
//! | no cycle at its timestamp | `cycle` | messaging.md, message graph | [`cyclic_chains`](super::cyclic_chains) |
//! | the initiating block is valid itself | `initiating-block-invalid` | messaging.md, invalid messages | the caller |
//!
//! The last two are about blocks: they are checked once the clauses above are satisfied. Nothing here ever
//! sees an endpoint's failure: a fact that is missing leaves the message unknown, which the caller states.
//! Where it is the rules themselves that are not known, such as when interop activates, the answer is
//! [`Objection::Unclear`].

use super::times::Times;
use super::{DependencySet, InvalidReason, Objection};
use crate::message::Message;
use crate::proof::{Executed, ProvenLogs};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// The block that executes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

/// Checks an executed message as far as the executing block and the dependency set go: its transaction, and
/// what [`check_claim`] asks. `Ok`: the message, whose cited block is still to be checked.
///
/// # Errors
/// The first clause that it breaks, or the reason why the known rules do not decide.
pub fn check_executed(
    set: &DependencySet,
    execution: Execution,
    executed: &Executed,
) -> Result<Message, Objection> {
    let message = executed.message.message;
    if executed.by_deposit {
        return Err(InvalidReason::ExecutedByDeposit.into());
    }
    check_claim(set, execution, &message)?;
    Ok(message)
}

/// Checks what the message claims by itself: membership, activation, order, expiry.
///
/// # Errors
/// The first clause that it breaks, or the reason why the known rules do not decide.
///
/// ```
/// use alloy::primitives::{Address, B256};
/// use crosscheck_core::message::{Identifier, Message};
/// use crosscheck_core::validity::{DEFAULT_EXPIRY_WINDOW, DependencySet, Execution, Member, check_claim};
/// use crosscheck_p2p::UnixSeconds;
///
/// let member = Member { interop_time: UnixSeconds(1_000), block_time: 2 };
/// let set = DependencySet::new([(10.into(), member), (130.into(), member)].into(), DEFAULT_EXPIRY_WINDOW);
/// let identifier = Identifier {
///     origin: Address::ZERO,
///     block_number: 600,
///     log_index: 0,
///     timestamp: UnixSeconds(2_200),
///     chain_id: 130.into(),
/// };
/// let message = Message { identifier, payload_hash: B256::ZERO };
/// let at = |timestamp| Execution { chain_id: 10.into(), timestamp: UnixSeconds(timestamp) };
///
/// assert!(check_claim(&set, at(2_202), &message).is_ok());
/// let broken = check_claim(&set, at(2_198), &message).unwrap_err();
/// assert_eq!(broken.code(), "initiated-after-execution");
/// ```
pub fn check_claim(set: &DependencySet, execution: Execution, message: &Message) -> Result<(), Objection> {
    let times = Times {
        executing: Some(execution.chain_id),
        executed: execution.timestamp,
        latest: execution.timestamp,
        initiating: message.identifier.chain_id,
        initiated: message.identifier.timestamp,
        may_be_equal: true,
    };
    times.check(set)
}

/// Checks the message against a chain that is already past the claimed timestamp, without the claimed block.
///
/// `tip` is the number and timestamp of a canonical block of the initiating chain. `None`: the chain may
/// still reach the claimed block. A tip of that very timestamp decides nothing: nothing says that a timestamp
/// has one block only.
pub const fn check_tip(message: &Message, tip: (u64, UnixSeconds)) -> Option<InvalidReason> {
    let id = &message.identifier;
    let (number, timestamp) = tip;
    if id.block_number > number && timestamp.0 > id.timestamp.0 {
        return Some(InvalidReason::block_not_found(id, number));
    }
    None
}

/// Checks the message against the proven logs of the canonical block at the claimed height.
///
/// # Errors
/// The first clause that it breaks.
pub fn check_log(message: &Message, block: &ProvenLogs) -> Result<(), InvalidReason> {
    let id = &message.identifier;
    if block.timestamp() != id.timestamp {
        return Err(InvalidReason::TimestampMismatch {
            chain_id: id.chain_id,
            number: id.block_number,
            claimed: id.timestamp,
            found: block.timestamp(),
        });
    }
    let Some(log) = block.log(id.log_index) else {
        return Err(InvalidReason::LogNotFound {
            chain_id: id.chain_id,
            number: id.block_number,
            index: id.log_index,
            logs: block.len(),
        });
    };
    if log.origin == id.origin && log.payload_hash == message.payload_hash {
        return Ok(());
    }
    if let Some(found) = block.find(id.origin, message.payload_hash) {
        return Err(InvalidReason::WrongLogIndex { claimed: id.log_index, found });
    }
    if log.origin != id.origin {
        return Err(InvalidReason::WrongOrigin { claimed: id.origin, found: log.origin });
    }
    Err(InvalidReason::PayloadMismatch { claimed: message.payload_hash, found: log.payload_hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ExecutingMessage, Identifier};
    use crate::proof::ProvenLog;
    use crate::validity::Member;
    use alloy::primitives::{Address, B256};
    use rstest::rstest;

    const ORIGIN: Address = Address::repeat_byte(0xee);
    const PAYLOAD: B256 = B256::repeat_byte(7);

    fn set() -> DependencySet {
        let member = Member { interop_time: UnixSeconds(100), block_time: 2 };
        DependencySet::new([901, 902].map(|id| (ChainId::from(id), member)).into(), 50)
    }

    fn message() -> Message {
        Message {
            identifier: Identifier {
                origin: ORIGIN,
                block_number: 10,
                log_index: 1,
                timestamp: UnixSeconds(200),
                chain_id: ChainId::from(902),
            },
            payload_hash: PAYLOAD,
        }
    }

    fn claim(executing: u64, initiating: u64, initiated: u64, executed: u64) -> Option<&'static str> {
        let mut message = message();
        message.identifier.chain_id = ChainId::from(initiating);
        message.identifier.timestamp = UnixSeconds(initiated);
        let execution = Execution { chain_id: ChainId::from(executing), timestamp: UnixSeconds(executed) };
        check_claim(&set(), execution, &message).err().map(|reason| reason.code())
    }

    #[rstest]
    #[case::holds(901, 902, 200, 210, None)]
    #[case::own_chain_is_a_member(901, 901, 200, 210, None)]
    #[case::executing_chain_unknown(903, 902, 200, 210, Some("executing-chain-unknown"))]
    #[case::initiating_chain_unknown(901, 903, 200, 210, Some("unknown-chain"))]
    #[case::initiated_in_the_activation_block(901, 902, 101, 110, Some("not-active"))]
    #[case::initiated_right_after_activation(901, 902, 102, 110, None)]
    #[case::executed_in_the_activation_block(901, 902, 101, 101, Some("not-active"))]
    #[case::executed_right_after_activation(901, 902, 102, 102, None)]
    #[case::executed_before_activation(901, 902, 200, 99, Some("not-active"))]
    #[case::same_timestamp(901, 902, 200, 200, None)]
    #[case::initiated_a_second_later(901, 902, 201, 200, Some("initiated-after-execution"))]
    #[case::at_the_edge_of_the_window(901, 902, 200, 250, None)]
    #[case::a_second_past_the_window(901, 902, 200, 251, Some("expired"))]
    fn claims_without_the_cited_block(
        #[case] executing: u64,
        #[case] initiating: u64,
        #[case] initiated: u64,
        #[case] executed: u64,
        #[case] broken: Option<&str>,
    ) {
        assert_eq!(claim(executing, initiating, initiated, executed), broken);
    }

    #[rstest]
    #[case::holds(false, 200, None)]
    #[case::by_a_deposit(true, 200, Some("executed-by-deposit"))]
    #[case::by_a_deposit_before_its_claim(true, 199, Some("executed-by-deposit"))]
    #[case::its_claim(false, 199, Some("initiated-after-execution"))]
    fn executed_messages(#[case] by_deposit: bool, #[case] at: u64, #[case] broken: Option<&str>) {
        let claimed = ExecutingMessage { log_index: 4, message: message() };
        let executed = Executed { log_index: 4, transaction_index: 0, by_deposit, message: claimed };
        let execution = Execution { chain_id: 901.into(), timestamp: UnixSeconds(at) };
        let outcome = check_executed(&set(), execution, &executed);
        assert_eq!(outcome.err().map(|reason| reason.code()), broken);
    }

    /// Where several clauses are broken, the first of the table is the reason.
    #[rstest]
    #[case::both_chains(903, 904, 300, 200, "executing-chain-unknown")]
    #[case::chain_before_activation(901, 904, 1, 1, "unknown-chain")]
    #[case::activation_before_order(901, 902, 200, 1, "not-active")]
    #[case::order_before_expiry(901, 902, 400, 200, "initiated-after-execution")]
    fn first_of_several(
        #[case] executing: u64,
        #[case] initiating: u64,
        #[case] initiated: u64,
        #[case] executed: u64,
        #[case] broken: &str,
    ) {
        assert_eq!(claim(executing, initiating, initiated, executed), Some(broken));
    }

    #[test]
    fn a_message_can_expire_at_the_end_of_time_without_overflow() {
        assert_eq!(claim(901, 902, u64::MAX - 50, u64::MAX), None);
        assert_eq!(claim(901, 902, u64::MAX - 51, u64::MAX), Some("expired"));
    }

    #[rstest]
    #[case::chain_not_there_yet(9, 198, None)]
    #[case::another_block_of_the_timestamp_may_come(9, 200, None)]
    #[case::chain_already_past(9, 201, Some("block-not-found"))]
    #[case::block_exists(10, 201, None)]
    fn missing_blocks(#[case] tip: u64, #[case] at: u64, #[case] broken: Option<&str>) {
        assert_eq!(check_tip(&message(), (tip, UnixSeconds(at))).map(|reason| reason.code()), broken);
    }

    fn log(origin: u8, payload: u8) -> ProvenLog {
        ProvenLog { origin: Address::repeat_byte(origin), payload_hash: B256::repeat_byte(payload) }
    }

    #[rstest]
    #[case::holds(200, vec![log(1, 1), log(0xee, 7)], None)]
    #[case::other_timestamp(202, vec![log(1, 1), log(0xee, 7)], Some("timestamp-mismatch"))]
    #[case::no_such_index(200, vec![log(0xee, 7)], Some("log-not-found"))]
    #[case::no_logs_at_all(200, vec![], Some("log-not-found"))]
    #[case::is_elsewhere(200, vec![log(0xee, 7), log(0xee, 8)], Some("wrong-log-index"))]
    #[case::other_contract(200, vec![log(1, 1), log(1, 7)], Some("wrong-origin"))]
    #[case::other_payload(200, vec![log(1, 1), log(0xee, 8)], Some("payload-mismatch"))]
    fn cited_blocks(#[case] timestamp: u64, #[case] logs: Vec<ProvenLog>, #[case] broken: Option<&str>) {
        let block = ProvenLogs::for_tests(ChainId::from(902), 10, UnixSeconds(timestamp), logs);
        assert_eq!(check_log(&message(), &block).err().map(|reason| reason.code()), broken);
    }
}
