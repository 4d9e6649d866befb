//! The validity of one executing message, clause by clause.
//!
//! Spec: interop/messaging.md, "Message invariants". [`check_claim`] needs nothing but the message and the
//! dependency set; [`check_log`] holds it against the proven logs of the block that it cites. Neither ever
//! sees an endpoint's failure: a fact that is missing leaves the message unknown, which is the caller's word.

use super::{DependencySet, InvalidReason, Message};
use crate::sources::ProvenLogs;
use crosscheck_p2p::{ChainId, UnixSeconds};

/// The block that executes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

/// Checks what the message claims by itself: membership, activation, order, expiry.
///
/// # Errors
/// The first clause that it breaks.
pub fn check_claim(
    set: &DependencySet,
    execution: Execution,
    message: &Message,
) -> Result<(), InvalidReason> {
    let id = &message.identifier;
    let executing = set
        .member(execution.chain_id)
        .ok_or(InvalidReason::ExecutingChainUnknown { chain_id: execution.chain_id })?;
    let initiating = set.member(id.chain_id).ok_or(InvalidReason::UnknownChain { chain_id: id.chain_id })?;
    for (member, chain_id, timestamp) in
        [(executing, execution.chain_id, execution.timestamp), (initiating, id.chain_id, id.timestamp)]
    {
        if !member.is_past_activation_block(timestamp) {
            return Err(InvalidReason::NotActive { chain_id, timestamp });
        }
    }
    let (initiated, executed, window) = (id.timestamp, execution.timestamp, set.expiry_window());
    match executed.0.checked_sub(initiated.0) {
        None => Err(InvalidReason::InitiatedAfterExecution { initiated, executed }),
        Some(age) if age > window => Err(InvalidReason::Expired { initiated, executed, window }),
        Some(_) => Ok(()),
    }
}

/// Checks the message against a chain that is already past the claimed timestamp, without the claimed block.
///
/// `tip` is the number and timestamp of a canonical block of the initiating chain. `None`: the chain may
/// still come to the claimed block.
pub const fn check_tip(message: &Message, tip: (u64, UnixSeconds)) -> Option<InvalidReason> {
    let id = &message.identifier;
    let (number, timestamp) = tip;
    if id.block_number > number && timestamp.0 >= id.timestamp.0 {
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
    use crate::interop::{Identifier, Member};
    use crate::sources::ProvenLog;
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
    #[case::executed_in_the_activation_block(901, 902, 102, 101, Some("not-active"))]
    #[case::same_timestamp(901, 902, 200, 200, None)]
    #[case::initiated_a_second_later(901, 902, 201, 200, Some("initiated-after-execution"))]
    #[case::at_the_edge_of_the_window(901, 902, 200, 250, None)]
    #[case::a_second_past_the_window(901, 902, 200, 251, Some("expired"))]
    fn claims_by_themselves(
        #[case] executing: u64,
        #[case] initiating: u64,
        #[case] initiated: u64,
        #[case] executed: u64,
        #[case] broken: Option<&str>,
    ) {
        assert_eq!(claim(executing, initiating, initiated, executed), broken);
    }

    #[rstest]
    #[case::chain_not_there_yet(9, 198, None)]
    #[case::chain_already_past(9, 200, Some("block-not-found"))]
    #[case::block_exists(10, 200, None)]
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
    #[case::stands_elsewhere(200, vec![log(0xee, 7), log(0xee, 8)], Some("wrong-log-index"))]
    #[case::other_contract(200, vec![log(1, 1), log(1, 7)], Some("wrong-origin"))]
    #[case::other_payload(200, vec![log(1, 1), log(0xee, 8)], Some("payload-mismatch"))]
    fn cited_blocks(#[case] timestamp: u64, #[case] logs: Vec<ProvenLog>, #[case] broken: Option<&str>) {
        let block = ProvenLogs::for_tests(ChainId::from(902), 10, UnixSeconds(timestamp), logs);
        assert_eq!(check_log(&message(), &block).err().map(|reason| reason.code()), broken);
    }
}
