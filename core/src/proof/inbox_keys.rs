//! [`DeclaredKeys`]: the storage keys of the `CrossL2Inbox` that a block's transactions declare in their
//! access lists.
//!
//! Read from the transactions alone, so from a gossiped payload as well as from a verified block. It reads
//! keys and no messages: what they mean is [`crate::message::parse_access_list`]'s to say.

use crate::message::CROSS_L2_INBOX;
use alloy::consensus::Transaction;
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{B256, Bytes, keccak256};
use memchr::memmem::Finder;
use op_alloy::consensus::{DEPOSIT_TX_TYPE_ID, OpTxEnvelope, POST_EXEC_TX_TYPE_ID};

/// The lowest first byte of an untyped transaction, an RLP list: it has no access list.
const FIRST_LEGACY_BYTE: u8 = 0xc0;

/// What one transaction declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxKeys {
    /// The transaction's place in the block.
    pub transaction_index: u32,
    /// Its hash.
    pub transaction_hash: B256,
    /// The inbox's storage keys in order, those of several access-list items joined. At least one.
    pub keys: Vec<B256>,
}

/// What the transactions of a block declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredKeys {
    /// The transactions that declare anything, in block order.
    pub transactions: Vec<InboxKeys>,
    /// How many transactions name the inbox but cannot be read. No valid block holds one of a known type.
    pub undecodable: usize,
}

impl DeclaredKeys {
    /// What the transaction in this place declares; nothing, if it declares nothing.
    pub fn of(&self, transaction_index: u32) -> &[B256] {
        let found = self.transactions.binary_search_by_key(&transaction_index, |keys| keys.transaction_index);
        found.ok().and_then(|at| self.transactions.get(at)).map_or(&[], |keys| &keys.keys)
    }
}

/// Reads what transactions in their EIP-2718 encoding declare. Those that do not name the inbox at all,
/// nearly all of them, are not decoded.
pub fn inbox_keys(transactions: &[Bytes]) -> DeclaredKeys {
    let inbox = Finder::new(CROSS_L2_INBOX.as_slice());
    let mut declared = DeclaredKeys::default();
    for (transaction_index, raw) in (0_u32..).zip(transactions) {
        if !may_have_access_list(raw) || inbox.find(raw).is_none() {
            continue;
        }
        match OpTxEnvelope::decode_2718_exact(raw) {
            Err(_) => declared.undecodable = declared.undecodable.saturating_add(1),
            Ok(transaction) => {
                let keys = keys_of(&transaction);
                if !keys.is_empty() {
                    let transaction_hash = keccak256(raw);
                    declared.transactions.push(InboxKeys { transaction_index, transaction_hash, keys });
                }
            }
        }
    }
    declared
}

fn may_have_access_list(raw: &Bytes) -> bool {
    let none = [DEPOSIT_TX_TYPE_ID, POST_EXEC_TX_TYPE_ID];
    raw.first().is_some_and(|first| !none.contains(first) && *first < FIRST_LEGACY_BYTE)
}

fn keys_of(transaction: &OpTxEnvelope) -> Vec<B256> {
    let items = transaction.access_list().map(|list| list.0.as_slice()).unwrap_or_default();
    let inbox = items.iter().filter(|item| item.address == CROSS_L2_INBOX);
    inbox.flat_map(|item| item.storage_keys.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
    use alloy::eips::eip2718::Encodable2718;
    use alloy::eips::eip2930::{AccessList, AccessListItem};
    use alloy::primitives::{Address, Signature, TxKind, U256};
    use op_alloy::consensus::TxDeposit;
    use rstest::rstest;

    const ONE: B256 = B256::repeat_byte(1);
    const THREE: B256 = B256::repeat_byte(3);

    fn list(items: &[(Address, &[B256])]) -> AccessList {
        let item = |(address, keys): &(Address, &[B256])| AccessListItem {
            address: *address,
            storage_keys: keys.to_vec(),
        };
        AccessList(items.iter().map(item).collect())
    }

    fn declaring() -> AccessList {
        list(&[(CROSS_L2_INBOX, &[ONE, THREE])])
    }

    fn signed<T: SignableTransaction<Signature>>(transaction: T) -> Bytes
    where
        OpTxEnvelope: From<alloy::consensus::Signed<T>>,
    {
        let signature = Signature::new(U256::from(1), U256::from(2), false);
        OpTxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
    }

    fn dynamic(access_list: AccessList) -> Bytes {
        signed(TxEip1559 { access_list, ..TxEip1559::default() })
    }

    fn deposit() -> Bytes {
        let to = TxKind::Call(CROSS_L2_INBOX);
        OpTxEnvelope::from(TxDeposit { to, ..TxDeposit::default() }).encoded_2718().into()
    }

    #[rstest]
    #[case::eip2930(signed(TxEip2930 { access_list: declaring(), ..TxEip2930::default() }))]
    #[case::eip1559(dynamic(declaring()))]
    #[case::eip7702(signed(TxEip7702 { access_list: declaring(), ..TxEip7702::default() }))]
    fn types_with_access_lists_declare(#[case] raw: Bytes) {
        let declared = inbox_keys(std::slice::from_ref(&raw));
        let expected =
            InboxKeys { transaction_index: 0, transaction_hash: keccak256(&raw), keys: vec![ONE, THREE] };
        assert_eq!(declared, DeclaredKeys { transactions: vec![expected], undecodable: 0 });
    }

    #[rstest]
    #[case::deposit(deposit())]
    #[case::legacy(signed(TxLegacy { to: TxKind::Call(CROSS_L2_INBOX), ..TxLegacy::default() }))]
    #[case::no_access_list(dynamic(AccessList::default()))]
    #[case::only_a_call(signed(TxEip1559 { to: TxKind::Call(CROSS_L2_INBOX), ..TxEip1559::default() }))]
    #[case::another_contract(dynamic(list(&[(Address::ZERO, &[ONE])])))]
    #[case::the_address_as_a_key(dynamic(list(&[(Address::ZERO, &[CROSS_L2_INBOX.into_word()])])))]
    #[case::no_keys(dynamic(list(&[(CROSS_L2_INBOX, &[])])))]
    #[case::empty(Bytes::new())]
    fn other_transaction_types_declare_nothing(#[case] raw: Bytes) {
        assert_eq!(inbox_keys(&[raw]), DeclaredKeys::default());
    }

    #[test]
    fn keys_of_several_items_are_joined_in_order() {
        let items: &[(Address, &[B256])] =
            &[(CROSS_L2_INBOX, &[THREE]), (Address::ZERO, &[B256::ZERO]), (CROSS_L2_INBOX, &[ONE, THREE])];
        assert_eq!(inbox_keys(&[dynamic(list(items))]).of(0), [THREE, ONE, THREE]);
    }

    #[test]
    fn each_transaction_is_found_by_its_index() {
        let declared = inbox_keys(&[deposit(), dynamic(declaring()), dynamic(AccessList::default())]);
        assert_eq!((declared.of(0).len(), declared.of(1).len(), declared.of(2).len()), (0, 2, 0));
        assert!(declared.of(u32::MAX).is_empty());
    }

    #[rstest]
    #[case::cut_short(|raw: &mut Vec<u8>| raw.truncate(raw.len() - 1))]
    #[case::trailing_bytes(|raw: &mut Vec<u8>| raw.push(0))]
    #[case::a_type_without_a_name(|raw: &mut Vec<u8>| raw[0] = 0x55)]
    fn an_unreadable_transaction_that_names_the_inbox_is_counted(#[case] break_it: fn(&mut Vec<u8>)) {
        let mut raw = dynamic(declaring()).to_vec();
        break_it(&mut raw);
        let declared = inbox_keys(&[raw.into(), dynamic(declaring())]);
        assert_eq!((declared.undecodable, declared.of(0).len(), declared.of(1).len()), (1, 0, 2));
    }
}
