//! [`NetTally`]: what was received by gossip, counted, and written as lines for people or as JSON.
//!
//! Pure: what happened comes in as an event, with the time; lines go out.

use alloy::primitives::{Address, B256};
use crosscheck_p2p::{NetworkEvent, Refusal, RefusalVerdict, Topic, UnixSeconds, ValidBlock};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Something that happened, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum NetLine {
    /// A valid block.
    Block {
        topic: Topic,
        number: u64,
        hash: B256,
        transactions: usize,
        /// Seconds from its timestamp to now; below zero if it is ahead of the clock.
        age: i128,
        signer: Address,
        from: String,
    },
    /// A frame that was refused.
    Refused {
        topic: Topic,
        verdict: &'static str,
        reason: &'static str,
        detail: String,
        /// The signer, if it was recovered.
        signer: Option<Address>,
        from: String,
    },
    /// A block that was missed has come from a peer.
    Filled { number: u64, hash: B256, from: String },
    /// The first connection to a peer.
    Connected { peer: String, addr: String },
    /// The last connection to a peer closed.
    Disconnected { peer: String },
}

/// What was received so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct NetTally {
    /// Valid blocks, by topic.
    pub accepted: BTreeMap<Topic, u64>,
    /// Refused frames, by the rule that they broke.
    pub refused: BTreeMap<&'static str, u64>,
    /// Peers connected now.
    pub peers: u64,
    /// The most peers that were connected at once.
    pub most_peers: u64,
}

impl NetTally {
    /// Counts what happened, and says it.
    pub(super) fn note(&mut self, event: &NetworkEvent, now: UnixSeconds) -> NetLine {
        match event {
            NetworkEvent::Block { block, from, .. } => {
                count(&mut self.accepted, block.topic());
                block_line(block, from, now)
            }
            NetworkEvent::Refused { topic, verdict, refusal, from } => {
                count(&mut self.refused, refusal.reason.code());
                refused_line(*topic, *verdict, refusal, from)
            }
            NetworkEvent::Filled { envelope, from } => NetLine::Filled {
                number: envelope.payload.number,
                hash: envelope.payload.block_hash,
                from: from.to_string(),
            },
            NetworkEvent::PeerConnected { peer_id, addr } => {
                self.peers = self.peers.saturating_add(1);
                self.most_peers = self.most_peers.max(self.peers);
                NetLine::Connected { peer: peer_id.to_string(), addr: addr.to_string() }
            }
            NetworkEvent::PeerDisconnected { peer_id } => {
                self.peers = self.peers.saturating_sub(1);
                NetLine::Disconnected { peer: peer_id.to_string() }
            }
        }
    }

    /// How many valid blocks there were.
    pub(super) fn blocks(&self) -> u64 {
        self.accepted.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many frames there were, valid or not.
    pub(super) fn frames(&self) -> u64 {
        self.refused.values().fold(self.blocks(), |sum, count| sum.saturating_add(*count))
    }

    /// What came of it, in a few lines: whether gossip works, and if not, what to look at.
    pub(super) fn verdict(&self) -> String {
        let accepted = self.blocks();
        let refused = self.frames().saturating_sub(accepted);
        let of = |list: String| if list.is_empty() { list } else { format!(" ({list})") };
        let counts = format!(
            "{accepted} valid blocks{}, {refused} frames refused{}, {} peers at most",
            of(listed(&self.accepted)),
            of(listed(&self.refused)),
            self.most_peers
        );
        let advice = match (accepted, refused, self.most_peers) {
            (1.., ..) => "gossip works",
            (0, 1.., _) if self.refused.keys().all(|reason| *reason == "no-signer-known") => {
                "frames arrive, but no signer is known: give --l1 or --signer"
            }
            (0, 1.., _) => "frames arrive, but none of them is a valid block of this chain: see the reasons",
            (0, 0, 1..) => "peers are connected, but send nothing: is the chain's sequencer running?",
            (0, 0, 0) => "no peer was reached: give --peer or --discovery, and allow outbound TCP and UDP",
        };
        format!("{counts}\n{advice}")
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

fn listed<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(key, count)| format!("{key} {count}")).collect::<Vec<_>>().join(", ")
}

fn block_line(block: &ValidBlock, from: &dyn Display, now: UnixSeconds) -> NetLine {
    NetLine::Block {
        topic: block.topic(),
        number: block.number(),
        hash: block.hash(),
        transactions: block.payload().transactions.len(),
        age: i128::from(now.0).saturating_sub(i128::from(block.timestamp().0)),
        signer: block.signer(),
        from: from.to_string(),
    }
}

fn refused_line(topic: Topic, verdict: RefusalVerdict, refusal: &Refusal, from: &dyn Display) -> NetLine {
    NetLine::Refused {
        topic,
        verdict: verdict.name(),
        reason: refusal.reason.code(),
        detail: refusal.reason.to_string(),
        signer: refusal.signer,
        from: from.to_string(),
    }
}

impl Display for NetLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block { topic, number, hash, transactions, age, signer, from } => write!(
                f,
                "block         {topic} {number} {hash}, {transactions} transactions, {age} s old, by {signer}, from {from}"
            ),
            Self::Refused { topic, verdict, reason, detail, signer, from } => {
                write!(f, "{verdict:<13} {topic} {reason}: {detail}")?;
                if let Some(signer) = signer {
                    write!(f, "; signed by {signer}")?;
                }
                write!(f, ", from {from}")
            }
            Self::Filled { number, hash, from } => write!(f, "filled in     {number} {hash}, from {from}"),
            Self::Connected { peer, addr } => write!(f, "connected     {peer} at {addr}"),
            Self::Disconnected { peer } => write!(f, "disconnected  {peer}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::{PeerId, Reason};
    use rstest::rstest;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn refused(reason: Reason) -> NetworkEvent {
        let refusal = Refusal { signer: Some(Address::repeat_byte(1)), ..Refusal::from(reason) };
        let (topic, from) = (Topic::BlocksV4, PeerId::random());
        NetworkEvent::Refused { topic, verdict: RefusalVerdict::Ignore, refusal, from }
    }

    fn connected() -> NetworkEvent {
        let addr = "/ip4/192.0.2.1/tcp/9222".parse().unwrap();
        NetworkEvent::PeerConnected { peer_id: PeerId::random(), addr }
    }

    #[test]
    fn peers_are_counted_up_and_down() {
        let mut tally = NetTally::default();
        tally.note(&connected(), NOW);
        tally.note(&connected(), NOW);
        tally.note(&NetworkEvent::PeerDisconnected { peer_id: PeerId::random() }, NOW);
        assert_eq!((tally.peers, tally.most_peers), (1, 2));
    }

    #[test]
    fn a_refusal_is_reported_with_its_signer() {
        let mut tally = NetTally::default();
        let event = refused(Reason::NoSignerKnown { topic: Topic::BlocksV4 });
        let line = tally.note(&event, NOW).to_string();
        assert!(line.starts_with("ignore        blocksv4 no-signer-known: no signer is known"), "{line}");
        assert!(line.contains("signed by 0x0101010101010101010101010101010101010101"), "{line}");
        assert_eq!(tally.refused.get("no-signer-known"), Some(&1));
    }

    #[rstest]
    #[case::nobody(&[], "no peer was reached")]
    #[case::silence(&[connected()], "send nothing")]
    #[case::no_signer(&[connected(), refused(Reason::NoSignerKnown { topic: Topic::BlocksV4 })], "give --l1 or --signer")]
    #[case::only_bad_frames(&[connected(), refused(Reason::BadRecoveryId { id: 9 })], "see the reasons")]
    fn the_summary_says_what_to_check(#[case] events: &[NetworkEvent], #[case] advice: &str) {
        let mut tally = NetTally::default();
        for event in events {
            tally.note(event, NOW);
        }
        assert!(tally.verdict().contains(advice), "{}", tally.verdict());
    }

    #[test]
    fn one_valid_block_is_enough() {
        let accepted = BTreeMap::from([(Topic::BlocksV4, 1)]);
        let tally =
            NetTally { accepted, refused: BTreeMap::from([("wrong-signer", 2)]), peers: 1, most_peers: 1 };
        let expected =
            "1 valid blocks (blocksv4 1), 2 frames refused (wrong-signer 2), 1 peers at most\ngossip works";
        assert_eq!(tally.verdict(), expected);
    }
}
