//! [`AuditConfig`], [`LedgerConfig`], [`MonitorConfig`]: how much is worked on and tracked, and how long it
//! is kept.

use super::DurationSetting;
use super::form::{any_duration, duration, whole};
use super::section::section;
use super::values::{days, mins};
use std::time::Duration;

section! {
    /// The audit of attested blocks.
    pub struct AuditConfig at "audit.", per_chain: false {
        /// The most cases that may be open at once, divided among the chains. Further cases wait in the
        /// ledger.
        max_open: usize = 4096, whole(1..=1_000_000);

        /// The most cases that are processed at once.
        concurrency: usize = 32, whole(1..=1024);

        /// How long a block may be without a verdict before that is reported with the reason. It is reported
        /// on /readyz as not ready, in the log and in the status that followers get.
        patience: DurationSetting = DurationSetting(mins(15)), any_duration();
    }
}

section! {
    /// What is kept on disk.
    pub struct LedgerConfig at "ledger.", per_chain: false {
        /// How long the case of a valid block is kept. Then it is removed, unless it is near the vouched head
        /// or near an invalid block; the signer of the block is kept. Cases of invalid blocks, open cases and
        /// cases that an operator resolved are kept forever. A case takes about 4 kB: 30 days of a chain with
        /// a block every 2 s take 5 GB.
        keep_upheld: DurationSetting = DurationSetting(days(30)), duration(days(7)..=Duration::MAX)
            .if_below("messages may cite blocks that old");
    }
}

section! {
    /// The executing messages that are tracked.
    pub struct MonitorConfig at "monitor.", per_chain: false {
        /// The most executing messages that are tracked at once. Above it the oldest valid messages are
        /// dropped. If none can be dropped, new messages that are invalid by themselves are still tracked,
        /// and the others are counted only.
        max_messages: usize = 1_000_000, whole(1..=100_000_000);

        /// How long a message is tracked that is neither finalized nor removed by its chain, from the
        /// timestamp of its block.
        retention: DurationSetting = DurationSetting(days(7)), duration(mins(1)..=Duration::MAX)
            .if_below("blocks take longer to become safe");
    }
}
