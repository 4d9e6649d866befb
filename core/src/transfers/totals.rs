//! [`Totals`]: how much was moved between two chains, of one asset.
//!
//! Sums are exact: 512 bits hold 2^64 amounts of 256 bits. It adds and subtracts, and decides nothing.

use super::{Asset, Transfer};
use alloy::primitives::{U256, U512};
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;

/// An ordered pair of chains, and what is moved from the one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The chain that burns.
    pub source: ChainId,
    /// The chain that mints.
    pub destination: ChainId,
    /// What is moved.
    pub asset: Asset,
}

/// A number of transfers and their amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many transfers.
    pub transfers: u64,
    /// How much they move, in the asset's unit.
    pub amount: U512,
}

/// The transfers of one pair. Each transfer that was initiated or executed is in exactly one of the sums,
/// but for `executed_again`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Initiated, and not executed as far as it is known.
    pub outstanding: Sum,
    /// Initiated and executed.
    pub completed: Sum,
    /// Executed, and proven not to be initiated where the execution says.
    pub without_initiation: Sum,
    /// Executed, while it is not known whether it was initiated.
    pub undetermined: Sum,
    /// Executions beyond the first of their transfer.
    pub executed_again: Sum,
}

/// What is known of one transfer, as far as the totals depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) is_initiated: bool,
    pub(super) executions: u64,
    pub(super) is_without_initiation: bool,
}

/// The totals of all pairs. Anybody can make tokens, so their number is bounded: transfers of further ones
/// are in no total. The chains are chosen by the caller.
#[derive(Clone, Debug)]
pub(super) struct Books {
    by_pair: BTreeMap<Pair, Totals>,
    tokens: usize,
    most_tokens: usize,
}

impl From<&Transfer> for Pair {
    fn from(transfer: &Transfer) -> Self {
        let Transfer { source, destination, asset, .. } = *transfer;
        Self { source, destination, asset }
    }
}

impl Sum {
    const fn plus(self, other: Self) -> Self {
        let transfers = self.transfers.saturating_add(other.transfers);
        Self { transfers, amount: self.amount.saturating_add(other.amount) }
    }

    const fn minus(self, other: Self) -> Self {
        let transfers = self.transfers.saturating_sub(other.transfers);
        Self { transfers, amount: self.amount.saturating_sub(other.amount) }
    }
}

impl Totals {
    /// The transfers that were initiated.
    pub const fn initiated(&self) -> Sum {
        self.outstanding.plus(self.completed)
    }

    /// The transfers that were executed, each counted once.
    pub const fn executed(&self) -> Sum {
        self.completed.plus(self.without_initiation).plus(self.undetermined)
    }

    /// What one transfer is to the totals.
    fn of(amount: U256, standing: Standing) -> Self {
        let one = Sum { transfers: 1, amount: U512::from(amount) };
        let again = standing.executions.saturating_sub(1);
        let amount = one.amount.saturating_mul(U512::from(again));
        let mut totals = Self { executed_again: Sum { transfers: again, amount }, ..Self::default() };
        match (standing.is_initiated, standing.executions > 0) {
            (true, false) => totals.outstanding = one,
            (true, true) => totals.completed = one,
            (false, true) if standing.is_without_initiation => totals.without_initiation = one,
            (false, true) => totals.undetermined = one,
            (false, false) => {}
        }
        totals
    }

    fn zip(self, other: Self, of: impl Fn(Sum, Sum) -> Sum) -> Self {
        Self {
            outstanding: of(self.outstanding, other.outstanding),
            completed: of(self.completed, other.completed),
            without_initiation: of(self.without_initiation, other.without_initiation),
            undetermined: of(self.undetermined, other.undetermined),
            executed_again: of(self.executed_again, other.executed_again),
        }
    }
}

impl Books {
    pub(super) const fn new(most_tokens: usize) -> Self {
        Self { by_pair: BTreeMap::new(), tokens: 0, most_tokens }
    }

    /// Whether transfers of this pair can be counted from now on.
    pub(super) fn admits(&self, pair: &Pair) -> bool {
        pair.asset == Asset::Eth || self.tokens < self.most_tokens || self.by_pair.contains_key(pair)
    }

    /// What is known of a transfer has changed.
    pub(super) fn shift(&mut self, pair: Pair, amount: U256, before: Standing, after: Standing) {
        let (is_new, totals) = (!self.by_pair.contains_key(&pair), self.by_pair.entry(pair).or_default());
        let is_token = pair.asset != Asset::Eth;
        self.tokens = self.tokens.saturating_add(usize::from(is_new && is_token));
        let kept = totals.zip(Totals::of(amount, before), Sum::minus);
        *totals = kept.zip(Totals::of(amount, after), Sum::plus);
        if *totals == Totals::default() {
            self.by_pair.remove(&pair);
            self.tokens = self.tokens.saturating_sub(usize::from(is_token));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Pair, &Totals)> {
        self.by_pair.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;

    const NOTHING: Standing = Standing { is_initiated: false, executions: 0, is_without_initiation: false };

    fn pair(asset: Asset) -> Pair {
        Pair { source: 1.into(), destination: 2.into(), asset }
    }

    #[test]
    fn amounts_of_hostile_tokens_are_summed_exactly() {
        let mut books = Books::new(1);
        let token = pair(Asset::Token(Address::ZERO));
        let executed = Standing { executions: 3, ..NOTHING };
        books.shift(token, U256::MAX, NOTHING, executed);
        books.shift(token, U256::MAX, NOTHING, Standing { is_initiated: true, ..NOTHING });
        let totals = *books.iter().next().unwrap().1;
        assert_eq!(totals.undetermined, Sum { transfers: 1, amount: U512::from(U256::MAX) });
        assert_eq!(totals.executed_again.amount, U512::from(U256::MAX) * U512::from(2));
        assert_eq!((totals.initiated().transfers, totals.executed().transfers), (1, 1));
        books.shift(token, U256::MAX, executed, NOTHING);
        books.shift(token, U256::MAX, Standing { is_initiated: true, ..NOTHING }, NOTHING);
        assert_eq!(books.iter().count(), 0);
    }

    #[test]
    fn the_number_of_tokens_is_bounded_and_that_of_eth_is_not() {
        let mut books = Books::new(1);
        let [one, other] = [1, 2].map(|byte| pair(Asset::Token(Address::repeat_byte(byte))));
        let initiated = Standing { is_initiated: true, ..NOTHING };
        assert!(books.admits(&one));
        books.shift(one, U256::from(1), NOTHING, initiated);
        assert!(books.admits(&one) && !books.admits(&other) && books.admits(&pair(Asset::Eth)));
        books.shift(one, U256::from(1), initiated, NOTHING);
        assert!(books.admits(&other));
    }
}
