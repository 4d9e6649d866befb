//! [`ProcessUse`]: the resources that this process uses, from Linux's `/proc`. On other systems nothing is
//! known.

use crosscheck_p2p::UnixSeconds;
use std::path::Path;
use std::time::Duration;

/// The milliseconds of the ticks that Linux reports times in, independent of its own clock.
const TICK_MS: u64 = 10;

/// What this process takes of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessUse {
    /// How long processors have worked for it.
    pub cpu: Duration,
    /// How much of its memory is in the machine's, in bytes.
    pub resident_bytes: u64,
    /// How much memory it has addresses for, in bytes.
    pub virtual_bytes: u64,
    /// How many threads it has.
    pub threads: u64,
    /// How many files and sockets it has open.
    pub open_fds: u64,
    /// How many it may have open. `None`: as many as it likes.
    pub max_fds: Option<u64>,
    /// When it began.
    pub began: UnixSeconds,
}

impl ProcessUse {
    /// Reads it. `None`: the system does not report it.
    pub fn read() -> Option<Self> {
        let own = Path::new("/proc/self");
        let text = |name: &str| std::fs::read_to_string(own.join(name)).ok();
        let open_fds = std::fs::read_dir(own.join("fd")).ok()?.count();
        let machine = std::fs::read_to_string("/proc/stat").ok()?;
        let texts = Texts {
            stat: &text("stat")?,
            status: &text("status")?,
            limits: &text("limits")?,
            machine: &machine,
        };
        texts.parse(u64::try_from(open_fds).unwrap_or(u64::MAX))
    }
}

/// What the files of `/proc` say.
struct Texts<'a> {
    stat: &'a str,
    status: &'a str,
    limits: &'a str,
    machine: &'a str,
}

impl Texts<'_> {
    fn parse(&self, open_fds: u64) -> Option<ProcessUse> {
        let [user, system, began] = ticks(self.stat)?;
        let kib = |name: &str| Some(number_after(self.status, name)?.saturating_mul(1024));
        let booted = Duration::from_secs(number_after(self.machine, "btime ")?);
        Some(ProcessUse {
            cpu: time(user.saturating_add(system)),
            resident_bytes: kib("VmRSS:")?,
            virtual_bytes: kib("VmSize:")?,
            threads: number_after(self.status, "Threads:")?,
            open_fds,
            max_fds: number_after(self.limits, "Max open files"),
            began: UnixSeconds(booted.saturating_add(time(began)).as_secs()),
        })
    }
}

const fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(TICK_MS))
}

/// The ticks of its own work and of the system's for it, and the tick since boot at which it began. Its name,
/// in brackets, may hold anything.
fn ticks(stat: &str) -> Option<[u64; 3]> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let field = |place: usize| fields.get(place)?.parse().ok();
    Some([field(11)?, field(12)?, field(19)?])
}

/// The first number of the line that begins so.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b) S 1 42 42 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 7 0 1000 1 2 3";
    const STATUS: &str = "Name:\ta) b\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\nThreads:\t7\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files\n";
    const MACHINE: &str = "cpu  1 2 3\nbtime 1700000000\nprocesses 9\n";

    fn texts() -> Texts<'static> {
        Texts { stat: STAT, status: STATUS, limits: LIMITS, machine: MACHINE }
    }

    #[test]
    fn the_process_files_are_read() {
        let expected = ProcessUse {
            cpu: Duration::from_secs(3),
            resident_bytes: 1 << 20,
            virtual_bytes: 2 << 20,
            threads: 7,
            open_fds: 5,
            max_fds: Some(1024),
            began: UnixSeconds(1_700_000_010),
        };
        assert_eq!(texts().parse(5), Some(expected));
        let unlimited = LIMITS.replace("1024 ", "unlimited ");
        assert_eq!(Texts { limits: &unlimited, ..texts() }.parse(5).unwrap().max_fds, None);
        assert_eq!(Texts { stat: "42 (a", ..texts() }.parse(5), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_read() {
        let found = ProcessUse::read().unwrap();
        assert!(found.resident_bytes > 1 << 20 && found.virtual_bytes >= found.resident_bytes, "{found:?}");
        assert!(found.threads > 0 && found.open_fds > 2, "{found:?}");
        assert!(found.began.0 > 1_700_000_000, "{found:?}");
    }
}
