//! [`MessageStatus`]: what is known of an executed message.

use super::InvalidReason;

/// What is known of a message. An endpoint's failure leaves it unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStatus {
    /// Not decided yet.
    Unknown,
    /// Every clause holds.
    Valid,
    /// A clause is proven broken.
    Invalid(InvalidReason),
}

impl MessageStatus {
    /// Every name that [`MessageStatus::name`] gives.
    pub const NAMES: [&str; 3] = ["unknown", "valid", "invalid"];

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Valid => "valid",
            Self::Invalid(_) => "invalid",
        }
    }
}
