//! [`Resources`]: memory and processor time of this process and of the programs, as Linux tells them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Resident memory of a process, once a second, in KiB.
pub(crate) struct Memory {
    samples: Vec<u64>,
}

impl Memory {
    /// At the start.
    pub(crate) fn first(&self) -> u64 {
        self.samples[0]
    }

    /// After a minute, or at the end of a shorter run.
    pub(crate) fn after_a_minute(&self) -> u64 {
        self.samples[60.min(self.samples.len() - 1)]
    }

    /// At the end.
    pub(crate) fn last(&self) -> u64 {
        self.samples[self.samples.len() - 1]
    }

    /// The most in any second.
    pub(crate) fn most(&self) -> u64 {
        self.samples.iter().copied().max().unwrap()
    }

    /// How many samples belong to the warm-up.
    pub(crate) fn warm_up(&self) -> usize {
        self.samples.len() / 2
    }

    /// KiB by which the mean of the last tenth lies above that of the tenth which begins where the warm-up
    /// ends.
    pub(crate) fn growth(&self) -> i64 {
        let (warm_up, tenth) = (self.warm_up(), (self.samples.len() / 10).max(1));
        let mean = |samples: &[u64]| samples.iter().sum::<u64>() / samples.len() as u64;
        let early = mean(&self.samples[warm_up..(warm_up + tenth).min(self.samples.len())]);
        let late = mean(&self.samples[self.samples.len() - tenth..]);
        late as i64 - early as i64
    }

    /// KiB a minute since the warm-up, by least squares.
    pub(crate) fn slope(&self) -> f64 {
        let samples = &self.samples[self.warm_up()..];
        let count = samples.len() as f64;
        let mean_x = (count - 1.0) / 2.0;
        let mean_y = samples.iter().sum::<u64>() as f64 / count;
        let (mut products, mut squares) = (0.0, 0.0);
        for (x, y) in samples.iter().enumerate() {
            let from_mean = x as f64 - mean_x;
            products += from_mean * (*y as f64 - mean_y);
            squares += from_mean * from_mean;
        }
        if squares > 0.0 { products / squares * 60.0 } else { 0.0 }
    }
}

/// What a process has used.
pub(crate) struct Used {
    pub(crate) memory: Memory,
    pub(crate) cpu: Duration,
}

/// A process that is watched.
struct Watched {
    id: u32,
    memory: Memory,
    cpu_before: Duration,
}

/// The processes that are watched: this one first, then the programs.
pub(crate) struct Resources {
    tick: Duration,
    watched: Vec<Watched>,
}

impl Resources {
    /// Begins to watch this process and these.
    pub(crate) fn start(programs: &[u32]) -> Self {
        let tick = clock_tick();
        let watch = |id| {
            let memory = Memory { samples: vec![resident_kib(id)] };
            Watched { id, memory, cpu_before: cpu_time(id, tick) }
        };
        let watched =
            std::iter::once(std::process::id()).chain(programs.iter().copied()).map(watch).collect();
        Self { tick, watched }
    }

    /// A second has passed.
    pub(crate) fn sample(&mut self) {
        for watched in &mut self.watched {
            watched.memory.samples.push(resident_kib(watched.id));
        }
    }

    /// What each has used since the start; this process less what it spent on something else than its nodes.
    pub(crate) fn finish(self, elsewhere: Duration) -> Vec<Used> {
        let tick = self.tick;
        let used = self.watched.into_iter().map(|Watched { id, memory, cpu_before }| Used {
            memory,
            cpu: cpu_time(id, tick).saturating_sub(cpu_before),
        });
        let mut used: Vec<Used> = used.collect();
        used[0].cpu = used[0].cpu.saturating_sub(elsewhere);
        used
    }
}

/// How long this thread has been on a CPU.
pub(crate) fn thread_cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// How long a process, the threads that have ended included, has been on a CPU.
fn cpu_time(id: u32, tick: Duration) -> Duration {
    let text = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).unwrap();
    // The name, in parentheses, may hold blanks.
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u32>().unwrap();
    tick * (ticks(11) + ticks(12))
}

/// The unit of a process's times.
fn clock_tick() -> Duration {
    let output = Command::new("getconf").arg("CLK_TCK").output().unwrap();
    let a_second: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    Duration::from_secs(1) / a_second
}

fn resident_kib(id: u32) -> u64 {
    let text = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or_else(|| panic!("process {id} has ended"))
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
