//! Which executed messages their own transactions did not declare: the access-list confirmation. Pure.
//!
//! The inbox lets a message execute only if its checksum is declared in the transaction's access list. A
//! message that was executed without shows that the inbox was tricked.

use alloy::primitives::B256;
use crosscheck_core::message::Checksum;
use crosscheck_core::proof::{Executed, InboxKeys};
use std::collections::HashSet;

/// The log indices of messages whose checksum is not among the inbox keys of their own transaction,
/// ascending.
///
/// `declared`: what each transaction of the block declares; those that declare nothing may be left out.
pub(super) fn undeclared(executed: &[Executed], declared: &[InboxKeys]) -> Vec<u32> {
    if executed.is_empty() {
        return Vec::new();
    }
    let keys: HashSet<(u32, B256)> =
        declared.iter().flat_map(|of| of.keys.iter().map(|key| (of.transaction_index, *key))).collect();
    let is_undeclared = |executed: &&Executed| {
        !keys.contains(&(executed.transaction_index, Checksum::of(&executed.message.message).as_word()))
    };
    executed.iter().filter(is_undeclared).map(|executed| executed.log_index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;
    use crosscheck_core::message::{ExecutingMessage, Identifier, Message, encode_access_list};
    use crosscheck_p2p::{ChainId, UnixSeconds};
    use rstest::rstest;

    fn message(log_index: u32) -> Message {
        Message {
            identifier: Identifier {
                origin: Address::ZERO,
                block_number: 1,
                log_index,
                timestamp: UnixSeconds(1),
                chain_id: ChainId::from(902),
            },
            payload_hash: B256::ZERO,
        }
    }

    fn executed(log_index: u32, transaction_index: u32, cited: u32) -> Executed {
        let message = ExecutingMessage { log_index, message: message(cited) };
        Executed { log_index, transaction_index, by_deposit: transaction_index == 0, message }
    }

    fn declared(transaction_index: u32, cited: &[u32]) -> InboxKeys {
        let keys = cited.iter().flat_map(|cited| encode_access_list(&message(*cited))).collect();
        InboxKeys { transaction_index, transaction_hash: B256::ZERO, keys }
    }

    #[rstest]
    #[case::declared(vec![executed(4, 1, 7)], vec![declared(1, &[7])], &[])]
    #[case::declared_once_executed_twice(vec![executed(4, 1, 7), executed(5, 1, 7)], vec![declared(1, &[7])], &[])]
    #[case::more_declared_than_executed(vec![executed(4, 1, 7)], vec![declared(1, &[6, 7, 8])], &[])]
    #[case::nothing_declared(vec![executed(4, 1, 7)], vec![], &[4])]
    #[case::another_message_declared(vec![executed(4, 1, 7)], vec![declared(1, &[8])], &[4])]
    #[case::declared_by_another_transaction(vec![executed(4, 1, 7)], vec![declared(2, &[7])], &[4])]
    #[case::by_a_deposit(vec![executed(4, 0, 7)], vec![], &[4])]
    #[case::one_of_several(vec![executed(4, 1, 7), executed(6, 1, 9)], vec![declared(1, &[7])], &[6])]
    fn messages_are_checked_against_their_own_transaction(
        #[case] executed: Vec<Executed>,
        #[case] keys: Vec<InboxKeys>,
        #[case] expected: &[u32],
    ) {
        assert_eq!(undeclared(&executed, &keys), expected);
    }

    #[test]
    fn hints_do_not_declare() {
        let mut hints = declared(1, &[7]);
        hints.keys.pop();
        assert_eq!(undeclared(&[executed(4, 1, 7)], &[hints]), [4]);
    }
}
