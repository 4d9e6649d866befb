//! [`Silence`]: for how long alerts are not reported. It holds back what is said, never what is known.

use super::alert::AlertKey;
use super::kind::AlertKind;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// What is not reported until a time. An alert that still fires then is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The chain. `None`: every chain.
    pub chain_id: Option<ChainId>,
    /// The kind. `None`: every kind. An incident that escalates to another kind is reported.
    pub kind: Option<AlertKind>,
    /// When it ends.
    pub until: UnixSeconds,
}

impl Silence {
    /// Whether an alert of this kind is not reported at this time.
    pub fn covers(&self, key: &AlertKey, kind: AlertKind, now: UnixSeconds) -> bool {
        now < self.until
            && self.chain_id.is_none_or(|chain_id| key.chain_id == Some(chain_id))
            && self.kind.is_none_or(|silenced| silenced == kind)
    }
}
