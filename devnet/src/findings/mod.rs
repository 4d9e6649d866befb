//! What a sidecar can find, what it must find, and its answers over RPC as the devnet reads them.

mod claim_records;
mod expected_message;
mod finding;
mod message_record;
mod sidecar_records;

pub(crate) use claim_records::{
    AnswerRecord, CLAIM_EVENTS, ClaimEvent, ClaimPage, ClaimRecord, claimant_name, rollup_node_name,
};
pub(crate) use expected_message::{ExpectedMessage, ExpectedStatus};
pub(crate) use finding::{EndpointOddity, NodeProblem, SidecarFinding};
#[cfg(test)]
pub(crate) use message_record::tests::record;
#[cfg(test)]
pub(crate) use message_record::{BlockRecord, CitedRecord};
pub(crate) use message_record::{
    MessagePage, MessagePlace, ObservedSuspect, SeenMessage, SuspectPage, TrackedRecord,
};
pub(crate) use sidecar_records::{
    AttestationPage, AttestationRecord, ObservedChainStatus, ObservedRefusal, RefusalPage, SidecarStatus,
    WithdrawnVerdictPage, WithdrawnVerdictRecord,
};
#[cfg(test)]
pub(crate) use sidecar_records::{HoldRecord, ObservedMessage, WaitRecord};
