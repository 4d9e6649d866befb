//! [`Role`]: one block's part in a fault that is about several blocks, as data.

use super::messages::absent_message;
use super::{Cast, Companion, Fault, Hold, NothingToCite, Scene};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;
use crate::schedule::FIRST_EXECUTING_BLOCK;
use crate::traffic::Intent;
use crosscheck_core::message::Message;
use rand_chacha::ChaCha12Rng;

/// What users do in the block before anything else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// They emit the planted log.
    Emit,
    /// They execute the planted log of a part, which is the user log of this place in its block.
    Execute {
        /// The part.
        part: usize,
        /// The place: the first user log is 0.
        place: u32,
    },
}

/// What becomes of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Kept,
    /// It is replaced by its deposits when it would become cross-safe.
    Replaced,
    /// It is dropped, still unsafe, in the tick after the fault's own block is built.
    Dropped,
}

/// A block's part.
#[derive(Debug)]
pub(super) struct Role {
    /// The fault's name.
    pub(super) name: &'static str,
    /// The fault in one line.
    pub(super) summary: &'static str,
    /// How many chains the fault needs.
    pub(super) chains: usize,
    /// The other parts, by the height of the fault's own block.
    pub(super) companions: fn(u64) -> Vec<Companion>,
    /// What users do first.
    pub(super) acts: &'static [Act],
    /// Whether the block executes a message that does not exist, too.
    pub(super) executes_absent: bool,
    /// What becomes of the block.
    pub(super) fate: Fate,
    /// The verdict on what is attested at its height.
    pub(super) finding: fn() -> Finding,
    /// What must be seen of the scripted message that it executes.
    pub(super) message: Option<ExpectedMessage>,
    /// What is waited for when it was built.
    pub(super) hold: Hold,
}

impl Role {
    /// A block that is fine, alone and without a name.
    pub(super) const FINE: Self = Self {
        name: "",
        summary: "",
        chains: 1,
        companions: |_| Vec::new(),
        acts: &[],
        executes_absent: false,
        fate: Fate::Kept,
        finding: || Finding::Upheld,
        message: None,
        hold: Hold::None,
    };
}

impl Fault for Role {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn earliest_block(&self) -> u64 {
        // A companion may stand one block before it.
        FIRST_EXECUTING_BLOCK.saturating_add(1)
    }

    fn chains(&self) -> usize {
        self.chains
    }

    fn companions(&self, block: u64) -> Vec<Companion> {
        (self.companions)(block)
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        (self.finding)()
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        self.message
    }

    fn opening(&self, cast: &Cast) -> Vec<Intent> {
        let act = |act: &Act| match *act {
            Act::Emit => cast.emission(),
            Act::Execute { part, place } => cast.message(part, place).map(Intent::Execute),
        };
        self.acts.iter().filter_map(act).collect()
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        if self.executes_absent { absent_message(self, scene, rng).map(Some) } else { Ok(None) }
    }

    fn is_replaced(&self) -> bool {
        self.fate == Fate::Replaced
    }

    fn is_dropped(&self) -> bool {
        self.fate == Fate::Dropped
    }

    fn hold(&self) -> Hold {
        self.hold
    }

    fn is_citable(&self) -> bool {
        // What takes the place of a dropped block is as good as any other.
        self.fate != Fate::Replaced && (self.finding)() == Finding::Upheld
    }
}
