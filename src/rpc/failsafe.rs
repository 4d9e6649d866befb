//! [`Failsafe`]: the switch that refuses every access list, durable in the ledger.
//!
//! While it is on, `checkAccessList` answers -320602 to every request, and transaction pools that ask drop
//! their interop transactions. It changes nothing that Crosscheck itself finds.

use super::RpcMetrics;
use crate::ledger::{Ledger, LedgerError};
use crosscheck_p2p::UnixSeconds;
use tokio::sync::watch;

/// The ledger's flag that keeps it.
const FLAG: &str = "failsafe";

/// The text of a refused check, exactly that of op-interop-filter: proxyd matches it.
pub(super) const FAILSAFE_REFUSAL: &str = "failsafe is enabled, rejecting all CheckAccessList requests";

/// The failsafe. Clones share it.
#[derive(Clone, Debug)]
pub struct Failsafe {
    enabled: watch::Sender<bool>,
    metrics: RpcMetrics,
}

impl Failsafe {
    /// A failsafe that is on or off.
    pub fn new(enabled: bool, metrics: RpcMetrics) -> Self {
        metrics.failsafe(enabled);
        Self { enabled: watch::Sender::new(enabled), metrics }
    }

    /// The failsafe as the ledger has it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn open(ledger: &Ledger, metrics: RpcMetrics) -> Result<Self, LedgerError> {
        Ok(Self::new(ledger.flag(FLAG).await?, metrics))
    }

    /// Writes its new state to the ledger. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub(super) async fn store(
        &self,
        ledger: &Ledger,
        enabled: bool,
        at: UnixSeconds,
    ) -> Result<(), LedgerError> {
        ledger.set_flag(FLAG, enabled, at).await
    }

    /// Whether it is on.
    pub fn is_enabled(&self) -> bool {
        *self.enabled.borrow()
    }

    /// Switches it. `true`: it has changed.
    pub fn set(&self, enabled: bool) -> bool {
        self.enabled.send_if_modified(|known| {
            self.metrics.failsafe(enabled);
            std::mem::replace(known, enabled) != enabled
        })
    }

    /// Notifies of each change.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.enabled.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crosscheck_core::validity::DependencySet;

    #[test]
    fn switching_is_reported_once_and_seen_by_every_clone() {
        let metrics = RpcMetrics::register(&Metrics::new(DependencySet::new([].into(), 1)).unwrap()).unwrap();
        let failsafe = Failsafe::new(false, metrics.clone());
        let clone = failsafe.clone();
        let mut watched = failsafe.watch();
        assert!(metrics.shared().render().unwrap().contains("crosscheck_failsafe 0"));
        assert!(failsafe.set(true) && !failsafe.set(true));
        assert!(metrics.shared().render().unwrap().contains("crosscheck_failsafe 1"));
        assert!(clone.is_enabled() && watched.has_changed().unwrap() && *watched.borrow_and_update());
        assert!(clone.set(false) && !failsafe.is_enabled());
    }
}
