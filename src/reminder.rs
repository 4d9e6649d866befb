//! [`Reminder`]: repeats long-lasting reasons against readiness, so that a log does not fall silent during an
//! outage.
//!
//! The part that a reason is about reports its start. This task reads only [`Health`].

use crate::health::Health;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it is reported again, and how long something must have been in the way for that.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Logs long-lasting reasons again.
#[derive(Debug)]
pub(crate) struct Reminder {
    health: Health,
}

impl Reminder {
    /// Repeats what blocks readiness.
    pub(crate) const fn new(health: Health) -> Self {
        Self { health }
    }

    /// Runs until cancelled.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => self.log_lasting(),
            }
        }
    }

    fn log_lasting(&self) {
        for lasting in self.health.lasting_for(EVERY) {
            let (part, problem, lasted_s) =
                (lasting.part.to_string(), lasting.reason, lasting.lasted.as_secs());
            warn!(part, problem, lasted_s, "still not ready");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::HealthPart;
    use crate::telemetry::captured::Lines;

    const MESSAGE: &str = "still not ready";

    #[tokio::test(start_paused = true)]
    async fn a_continuing_outage_is_reported_again() {
        let lines = Lines::capture();
        let health = Health::default();
        let reminder = Reminder::new(health.clone());
        health.set_not_ready(&HealthPart::L1Endpoint, "nobody answers".to_owned());
        tokio::time::advance(EVERY - Duration::from_secs(1)).await;
        reminder.log_lasting();
        assert_eq!(lines.count(MESSAGE), 0, "{}", lines.text());
        tokio::time::advance(Duration::from_secs(1)).await;
        reminder.log_lasting();
        assert_eq!(lines.count(MESSAGE), 1, "{}", lines.text());
        assert!(lines.text().contains("nobody answers"), "{}", lines.text());
        tokio::time::advance(EVERY).await;
        reminder.log_lasting();
        assert_eq!(lines.count(MESSAGE), 2, "{}", lines.text());
        health.clear(&HealthPart::L1Endpoint);
        reminder.log_lasting();
        assert_eq!(lines.count(MESSAGE), 2, "{}", lines.text());
    }
}
