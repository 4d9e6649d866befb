//! [`Comparison`]: has both judge, and holds their answers against each other.

use crate::{
    case::{Case, Step},
    differences::{Build, Judged, KNOWN, known},
    op_node::OpNode,
    verdict::{Answer, Verdict, ours},
};
use alloy_primitives::hex;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variable that names the folder of op-node's validators.
const PROGRAMS: &str = "OP_NODE_VERDICTS";
/// This many faults are told in full.
const TOLD: usize = 20;
/// This many bytes of a frame are told.
const MOST_BYTES: usize = 4096;

/// What was found so far.
pub(crate) struct Comparison {
    op_nodes: [(Build, OpNode); 2],
    frames: BTreeMap<&'static str, usize>,
    /// How often each known difference occurred, by its place and the build.
    known: BTreeMap<(usize, &'static str), usize>,
    accepted: usize,
    faults: Vec<String>,
}

impl Comparison {
    pub(crate) fn start() -> Self {
        let programs = std::env::var_os(PROGRAMS);
        let programs =
            PathBuf::from(programs.expect("OP_NODE_VERDICTS: what tests/peers/opstack/build prints"));
        let op_nodes = Build::ALL.map(|build| (build, OpNode::start(&programs.join(build.program()))));
        Self { op_nodes, frames: BTreeMap::new(), known: BTreeMap::new(), accepted: 0, faults: Vec::new() }
    }

    /// One of op-node's builds, to ask for hashes.
    pub(crate) const fn any(&mut self) -> &mut OpNode {
        &mut self.op_nodes[0].1
    }

    /// How many frames were judged.
    pub(crate) fn frames(&self) -> usize {
        self.frames.values().sum()
    }

    /// Has all of them judge.
    pub(crate) fn judge(&mut self, cases: &[Case]) {
        for case in cases {
            *self.frames.entry(case.family).or_default() += case.frames();
        }
        let [(_, cgo), (_, pure)] = &mut self.op_nodes;
        let (ours, theirs) = std::thread::scope(|scope| {
            let theirs = [scope.spawn(|| cgo.judge(cases)), scope.spawn(|| pure.judge(cases))];
            let ours: Vec<_> = cases.iter().map(ours).collect();
            (ours, theirs.map(|thread| thread.join().unwrap()))
        });
        self.accepted += ours.iter().flatten().filter(|answer| answer.reason.is_empty()).count();
        for (build, theirs) in Build::ALL.into_iter().zip(&theirs) {
            for ((case, ours), theirs) in cases.iter().zip(&ours).zip(theirs) {
                self.compare(build, case, theirs, ours);
            }
        }
    }

    fn compare(&mut self, build: Build, case: &Case, theirs: &[Answer], ours: &[Answer]) {
        let frames = case.steps.iter().filter_map(|step| match step {
            Step::Frame { version, frame, .. } => Some((*version, frame)),
            Step::Name(_) => None,
        });
        let mut out_of_window = BTreeMap::new();
        for (place, (((version, frame), theirs), ours)) in frames.zip(theirs).zip(ours).enumerate() {
            let told = || {
                let (family, name, program) = (case.family, &case.name, build.program());
                let bytes = hex::encode(&frame[..frame.len().min(MOST_BYTES)]);
                format!(
                    "{family} {name} ({program}), frame {place}, {version}: op-node {theirs}, Crosscheck {ours}, of {bytes}"
                )
            };
            let out_of_window: &mut u32 = out_of_window.entry(version).or_default();
            match ours.reason.as_str() {
                "" => *out_of_window = 0,
                "too-old" | "from-the-future" => *out_of_window += 1,
                _ => {}
            }
            if theirs.id != ours.id {
                self.faults.push(format!("another message id: {}", told()));
            }
            if theirs.verdict == ours.verdict {
                continue;
            }
            let judged = Judged { family: case.family, version, frame, out_of_window: *out_of_window };
            let Some(known) = known(build, &judged, theirs, ours) else {
                self.faults.push(format!("a difference that is not known: {}", told()));
                return;
            };
            *self.known.entry((known, build.program())).or_default() += 1;
            if [theirs.verdict, ours.verdict].contains(&Verdict::Accept) {
                // From here on the two remember different things.
                return;
            }
        }
    }

    /// Tells what was found, and fails if it is not what is known.
    pub(crate) fn conclude(mut self) {
        println!("{} frames, {} accepted by Crosscheck, of these cases:", self.frames(), self.accepted);
        for (family, frames) in &self.frames {
            println!("    {family}: {frames}");
        }
        println!("known to differ:");
        for (place, difference) in KNOWN.iter().enumerate() {
            for build in Build::ALL {
                let times = self.known.get(&(place, build.program())).copied().unwrap_or_default();
                println!("    {} ({}): {times}", difference.what(), build.program());
                if times == 0 && difference.occurs_in(build) {
                    let what = difference.what();
                    self.faults.push(format!(
                        "{what} ({}): does not occur any more, so it must go",
                        build.program()
                    ));
                }
            }
        }
        println!("differences that are not known: {}", self.faults.len());
        let told: Vec<_> = self.faults.iter().take(TOLD).map(String::as_str).collect();
        assert!(told.is_empty(), "{} faults:\n{}", self.faults.len(), told.join("\n"));
    }
}
