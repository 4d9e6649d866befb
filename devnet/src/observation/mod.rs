//! What the devnet reads from a running sidecar, and what it remembers of that.

mod claim_findings;
mod counts;
mod executed;
mod genesis_finality;
mod metrics_page;
mod observations;
mod seen_messages;
mod unknown_heads;
mod watch;
mod withdrawn_verdicts;

pub(crate) use claim_findings::Refutation;
pub(crate) use counts::{
    AttestationCounts, MessageCounts, count_attestations, count_messages, count_unattested,
};
pub(crate) use executed::executed_by;
pub(crate) use observations::Observations;
pub(crate) use seen_messages::{SeenMessages, TrackedCounts};
pub(crate) use watch::{Watch, WatchError};
pub(crate) use withdrawn_verdicts::DisputedBlock;
