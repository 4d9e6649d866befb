//! What there is to report of verdicts, vouched heads, messages and suspects, in the form that others read.
//!
//! Nothing is sent here, and no outlet's wire format is known.

mod event;
mod filing;
mod message_record;
mod notice;
mod notice_filter;
mod suspect;
mod suspect_record;
mod unknown_events;

pub use event::{
    AccessCheckAnswer, ChainOutputRoot, ClaimantAnswer, Event, EventCause, EventMessage, ExecutingBlock,
    InvalidPromotion, StatusChange, SuperRootAnswer,
};
pub use filing::Filing;
pub use message_record::MessageRecord;
pub use notice::{NoSuchNotice, Notice, NoticeContent, NoticeKind};
pub use notice_filter::{NotedMessage, NoticeFilter};
pub use suspect::{Suspect, SuspectFault, suspects};
pub use suspect_record::{SuspectOutcome, SuspectRecord};
pub use unknown_events::UnknownInboxEvents;
