//! [`Case`]: frames in their order, to validators that have seen nothing before.

use crate::{NOW, wrapping::SEQUENCER};
use alloy_primitives::{Address, Bytes};
use crosscheck_p2p::{PayloadVersion, UnixSeconds};

/// What comes next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// L1 names a signer.
    Name(Address),
    /// A frame arrives.
    Frame {
        /// On whose version's topic.
        version: PayloadVersion,
        now: UnixSeconds,
        frame: Bytes,
    },
}

/// What is judged together.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What kind of case it is. Differences are known by it.
    pub(crate) family: &'static str,
    pub(crate) name: String,
    /// Who may sign at first.
    pub(crate) signer: Address,
    /// When Jovian takes force. `None`: never.
    pub(crate) jovian: Option<UnixSeconds>,
    pub(crate) steps: Vec<Step>,
}

impl Case {
    /// A case without a frame yet, on a chain with every fork in force.
    pub(crate) fn new(family: &'static str, name: impl Into<String>) -> Self {
        let (signer, jovian) = (SEQUENCER.address(), Some(UnixSeconds(0)));
        Self { family, name: name.into(), signer, jovian, steps: Vec::new() }
    }

    /// One frame that arrives now.
    pub(crate) fn frame(
        family: &'static str,
        name: impl Into<String>,
        version: PayloadVersion,
        frame: Bytes,
    ) -> Self {
        let mut case = Self::new(family, name);
        case.add(version, frame);
        case
    }

    /// One more frame that arrives now.
    pub(crate) fn add(&mut self, version: PayloadVersion, frame: Bytes) {
        self.steps.push(Step::Frame { version, now: NOW, frame });
    }

    /// How many frames it has.
    pub(crate) fn frames(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Frame { .. })).count()
    }
}
