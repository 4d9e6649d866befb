//! [`Answer`]: what one of the two says of a frame, and what ours says.

use crate::{
    case::{Case, Step},
    chain,
};
use core::fmt;
use crosscheck_p2p::{
    GossipForkTimes, Judgement, SIGNER_GRACE_SECS, Signers, Topic, UnixSeconds, ValidationRules, Validator,
    message_id,
};

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Ignore,
    Reject,
}

impl Verdict {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Ignore => "ignore",
            Self::Reject => "reject",
        }
    }
}

/// A verdict, the frame's message id, and why: the code of our rule, or what op-node logged.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) id: [u8; 20],
    pub(crate) reason: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.verdict.name(), self.reason)
    }
}

/// What our validator makes of each frame of a case. Who may sign is kept as the network's judge keeps it.
pub(crate) fn ours(case: &Case) -> Vec<Answer> {
    let forks = GossipForkTimes { jovian: case.jovian, ..GossipForkTimes::AT_GENESIS };
    let mut validator = Validator::new(ValidationRules { forks, ..ValidationRules::new(chain()) });
    let mut signers = Signers::default();
    if !case.signer.is_zero() {
        signers.change_to(case.signer, UnixSeconds(0), SIGNER_GRACE_SECS);
    }
    let mut answers = Vec::new();
    for step in &case.steps {
        match step {
            Step::Name(signer) => {
                signers.change_to(*signer, crate::NOW, SIGNER_GRACE_SECS);
            }
            Step::Frame { version, now, frame } => {
                let topic = Topic::of_blocks(*version);
                let judgement = validator.judge(topic, frame, &signers, *now);
                let (verdict, reason) = match &judgement {
                    Judgement::Accept(block) => {
                        signers = signers.after_block_by(block.signer());
                        (Verdict::Accept, "")
                    }
                    Judgement::Ignore(refusal) => (Verdict::Ignore, refusal.reason.code()),
                    Judgement::Reject(refusal) => (Verdict::Reject, refusal.reason.code()),
                };
                let id = *message_id(&topic.path(chain()), frame).as_bytes();
                if let Judgement::Accept(block) = &judgement {
                    assert_eq!(*block.message_id().as_bytes(), id);
                }
                answers.push(Answer { verdict, id, reason: reason.to_owned() });
            }
        }
    }
    answers
}
