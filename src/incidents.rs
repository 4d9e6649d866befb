//! [`Incidents`]: which alarms were raised on invalid blocks. Pure shared state: no I/O.
//!
//! An incident is one invalid block. The first proof raises the one error; later findings are logged with the
//! same key at a lower level. That the block became cross-safe, or final, is an alarm of its own.

use crosscheck_core::message::BlockKey;
use lru::LruCache;
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How many incidents are remembered. Beyond it the one without a report for the longest time is forgotten.
const INCIDENTS: NonZeroUsize = match NonZeroUsize::new(4096) {
    Some(incidents) => incidents,
    None => NonZeroUsize::MIN,
};

/// What calls for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The block is proven invalid.
    Invalid,
    /// An endpoint called it, or a block on top of it, cross-safe.
    Claimed,
    /// It is cross-safe nevertheless.
    CrossSafe,
    /// It is final nevertheless.
    Final,
}

/// Which alarms were raised on one block.
#[derive(Clone, Copy, Debug, Default)]
struct Raised {
    invalid: bool,
    claimed: bool,
    cross_safe: bool,
    final_: bool,
}

/// Which alarms were raised since the start. Clones share the state.
#[derive(Clone, Debug)]
pub struct Incidents(Arc<Mutex<LruCache<BlockKey, Raised>>>);

impl Default for Incidents {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(INCIDENTS))))
    }
}

impl Incidents {
    /// Records an alarm. `true`: it was not raised before.
    pub fn raise(&self, block: BlockKey, alarm: Alarm) -> bool {
        let mut incidents = self.0.lock();
        let raised = incidents.get_or_insert_mut(block, Raised::default);
        let raised = match alarm {
            Alarm::Invalid => &mut raised.invalid,
            Alarm::Claimed => &mut raised.claimed,
            Alarm::CrossSafe => &mut raised.cross_safe,
            Alarm::Final => &mut raised.final_,
        };
        !std::mem::replace(raised, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn block(number: u64) -> BlockKey {
        BlockKey { chain_id: 901.into(), number, hash: B256::ZERO }
    }

    #[test]
    fn each_alarm_is_raised_once_for_each_block() {
        let (monitor, audit) = {
            let incidents = Incidents::default();
            (incidents.clone(), incidents)
        };
        assert!(monitor.raise(block(1), Alarm::Invalid));
        assert!(!audit.raise(block(1), Alarm::Invalid) && !monitor.raise(block(1), Alarm::Invalid));
        assert!(audit.raise(block(2), Alarm::Invalid));
        assert!(monitor.raise(block(1), Alarm::CrossSafe) && monitor.raise(block(1), Alarm::Final));
        assert!(!monitor.raise(block(1), Alarm::CrossSafe) && !monitor.raise(block(1), Alarm::Final));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let incidents = Incidents::default();
        let all = INCIDENTS.get() as u64 + 1;
        assert!((0..all).all(|number| incidents.raise(block(number), Alarm::Invalid)));
        assert_eq!(incidents.0.lock().len(), INCIDENTS.get());
    }
}
