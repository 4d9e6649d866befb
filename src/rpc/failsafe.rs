//! [`Failsafe`]: the switch that refuses every access list, durable in the ledger.
//!
//! While it is on, `checkAccessList` answers -320602 whatever it is asked, and transaction pools that ask drop their
//! interop transactions. It changes nothing that Crosscheck itself finds.

use tokio::sync::watch;

/// What a refused check says.
pub(super) const FAILSAFE_REFUSAL: &str = "failsafe is enabled: no access list is accepted";

/// The failsafe. Clones share it.
#[derive(Clone, Debug)]
pub struct Failsafe {
    enabled: watch::Sender<bool>,
}

impl Failsafe {
    /// A failsafe in the state in which the ledger has it.
    pub fn new(enabled: bool) -> Self {
        Self { enabled: watch::Sender::new(enabled) }
    }

    /// Whether it is on.
    pub fn is_enabled(&self) -> bool {
        *self.enabled.borrow()
    }

    /// Switches it. `true`: it stood the other way before.
    pub fn set(&self, enabled: bool) -> bool {
        self.enabled.send_if_modified(|known| std::mem::replace(known, enabled) != enabled)
    }

    /// Word of each switching.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.enabled.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switching_is_told_once_and_seen_by_every_clone() {
        let failsafe = Failsafe::new(false);
        let clone = failsafe.clone();
        let mut watched = failsafe.watch();
        assert!(failsafe.set(true) && !failsafe.set(true));
        assert!(clone.is_enabled() && watched.has_changed().unwrap() && *watched.borrow_and_update());
        assert!(clone.set(false) && !failsafe.is_enabled());
    }
}
