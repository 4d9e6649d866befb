//! What there is to report of verdicts, vouched heads, messages and suspects, in the form that others read.
//!
//! Nothing is sent here, and no outlet's wire format is known.

mod filing;
mod message_record;
mod note;
mod notebook;
mod suspect;
mod suspect_record;
mod told;
mod unknown_events;

pub use filing::Filing;
pub use message_record::MessageRecord;
pub use note::{News, Note};
pub use notebook::{Entry, Notebook};
pub use suspect::{Fault, Suspect, suspects};
pub use suspect_record::{SuspectOutcome, SuspectRecord};
pub use told::{Told, ToldBlock, ToldCause, ToldMessage, ToldPromotion, ToldStatus};
pub use unknown_events::UnknownEvents;
