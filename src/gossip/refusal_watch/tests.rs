//! Frames of one chain, and what is reported of them.

use super::*;
use crate::gossip::GossipMetrics;
use crate::metrics::Metrics;
use Topic::{BlocksV3, BlocksV4, CrossSafeBlocksV1};
use alloy::primitives::B256;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::{MalformedPayload, UnixSeconds};
use rstest::rstest;

const PATIENCE: Duration = Duration::from_secs(60);
const SEQUENCER: Address = Address::repeat_byte(1);
const STRANGER: Address = Address::repeat_byte(9);

struct World {
    watch: RefusalWatch,
    health: Health,
    metrics: GossipMetrics,
    now: Instant,
    friend: PeerId,
}

impl World {
    fn new() -> Self {
        let chain_id = ChainId::from(901_u64);
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let metrics = GossipMetrics::register(
            &Metrics::new(DependencySet::new([(chain_id, member)].into(), 1)).unwrap(),
        )
        .unwrap();
        let (health, friend) = (Health::default(), PeerId::random());
        let watch = RefusalWatch::new(chain_id, PATIENCE, [friend].into(), health.clone(), metrics.clone());
        Self { watch, health, metrics, now: Instant::now(), friend }
    }

    /// This many frames, one a second from now on.
    fn refuse(&mut self, count: u64, topic: Topic, reason: &Reason, from: PeerId) {
        for _ in 0..count {
            self.watch.refused(topic, reason, from, self.now);
            self.now += Duration::from_secs(1);
        }
    }

    fn is_ready(&self) -> bool {
        self.health.reasons().is_empty()
    }

    fn in_a_row(&self, gossip: &str) -> u64 {
        let text = self.metrics.shared().render().unwrap();
        let line = format!("crosscheck_gossip_refused_in_a_row{{chain_id=\"901\",gossip=\"{gossip}\"}} ");
        text.lines().find_map(|served| served.strip_prefix(&line)).unwrap().parse().unwrap()
    }
}

fn wrong_signer(recovered: Address) -> Reason {
    Reason::WrongSigner { recovered, expected: Address::repeat_byte(2) }
}

const MALFORMED: Reason = Reason::Malformed(MalformedPayload::Truncated { size: 1, needed: 2 });
const HASH: Reason = Reason::BlockHashMismatch { computed: B256::ZERO };
const OLD: Reason = Reason::TooOld { timestamp: UnixSeconds(1), now: UnixSeconds(100), max_age_secs: 60 };
const AHEAD: Reason =
    Reason::FromTheFuture { timestamp: UnixSeconds(9), now: UnixSeconds(1), max_ahead_secs: 5 };
const MANY: Reason = Reason::TooManyAtHeight { number: 5, seen: 6 };

/// Whether two minutes of nothing else are reported: from a stranger, and from a static peer.
#[rstest]
#[case::unsafe_by_another(BlocksV4, wrong_signer(STRANGER), [true, true])]
#[case::of_an_older_version(BlocksV3, wrong_signer(STRANGER), [true, true])]
#[case::unsafe_malformed(BlocksV4, MALFORMED, [true, true])]
#[case::unsafe_of_another_hash(BlocksV4, HASH, [true, true])]
#[case::attested_by_another(CrossSafeBlocksV1, wrong_signer(STRANGER), [false, true])]
#[case::attested_by_the_sequencer(CrossSafeBlocksV1, wrong_signer(SEQUENCER), [true, true])]
#[case::attested_malformed(CrossSafeBlocksV1, MALFORMED, [false, true])]
#[case::no_signature(BlocksV4, Reason::BadSignature, [false, false])]
#[case::no_signer_known_yet(BlocksV4, Reason::NoSignerKnown { topic: BlocksV4 }, [false, false])]
#[case::seen(BlocksV4, Reason::AlreadySeen { hash: B256::ZERO }, [false, false])]
#[case::old(BlocksV4, OLD, [false, false])]
#[case::ahead(BlocksV4, AHEAD, [false, false])]
#[case::many_of_one_height(BlocksV4, MANY, [false, false])]
fn a_chain_with_only_refused_frames_is_reported(
    #[case] topic: Topic,
    #[case] reason: Reason,
    #[case] reported: [bool; 2],
) {
    for (is_friend, reported) in [false, true].into_iter().zip(reported) {
        let mut world = World::new();
        world.watch.accepted(BlocksV4, SEQUENCER);
        let from = if is_friend { world.friend } else { PeerId::random() };
        world.refuse(120, topic, &reason, from);
        assert_eq!(world.is_ready(), !reported, "{:?}", world.health.reasons());
    }
}

#[test]
fn refusals_in_a_row_are_reported_once_long_and_many_enough() {
    let mut world = World::new();
    let friend = world.friend;
    world.refuse(60, BlocksV4, &wrong_signer(STRANGER), friend);
    assert!(world.is_ready());
    world.refuse(1, BlocksV4, &wrong_signer(STRANGER), friend);
    let reasons = world.health.reasons();
    let reported = "chain 901 refused unsafe blocks: all unsafe blocks in more than 1m were refused, 61 in a row, the last for wrong-signer";
    assert!(matches!(&reasons[..], [reason] if reason.starts_with(reported)), "{reasons:?}");
    assert!(
        reasons[0]
            .ends_with("check chains.901.unsafe_block_signer, or chains.901.system_config and l1.execution")
    );
    assert_eq!(world.in_a_row("unsafe"), 61);
    world.watch.accepted(BlocksV3, SEQUENCER);
    assert!(world.is_ready(), "{:?}", world.health.reasons());
    assert_eq!(world.in_a_row("unsafe"), 0);

    // A few, however long they take, are none.
    world.refuse(1, BlocksV4, &MALFORMED, friend);
    world.now += PATIENCE * 2;
    world.refuse(6, BlocksV4, &MALFORMED, friend);
    assert!(world.is_ready());
    world.refuse(1, BlocksV4, &MALFORMED, friend);
    assert!(world.health.reasons()[0].contains("upgrade Crosscheck"));
}

/// Frames of other signers do not block readiness as long as valid blocks come between.
#[test]
fn invalid_frames_beside_accepted_ones_are_not_reported() {
    let mut world = World::new();
    for _ in 0..600 {
        let stranger = PeerId::random();
        world.refuse(2, BlocksV4, &wrong_signer(STRANGER), stranger);
        assert!(world.is_ready());
        world.watch.accepted(BlocksV4, SEQUENCER);
    }
}

#[test]
fn attestations_and_unsafe_blocks_are_reported_separately() {
    let mut world = World::new();
    let friend = world.friend;
    for _ in 0..120 {
        world.refuse(1, CrossSafeBlocksV1, &wrong_signer(STRANGER), friend);
        world.watch.accepted(BlocksV4, SEQUENCER);
    }
    let reasons = world.health.reasons();
    assert!(matches!(&reasons[..], [reason] if reason.contains("all attestations in")), "{reasons:?}");
    assert!(reasons[0].ends_with("check chains.901.attester"), "{reasons:?}");
    assert_eq!((world.in_a_row("unsafe"), world.in_a_row("cross-safe")), (0, 120));
    world.watch.accepted(CrossSafeBlocksV1, SEQUENCER);
    assert!(world.is_ready());
}

/// On a silent topic nothing else would ever end it.
#[test]
fn refusals_that_stop_are_no_longer_reported() {
    let mut world = World::new();
    let friend = world.friend;
    world.refuse(120, CrossSafeBlocksV1, &wrong_signer(STRANGER), friend);
    let last = world.now - Duration::from_secs(1);
    world.watch.check(last + OVER_AFTER - Duration::from_secs(1));
    assert!(!world.is_ready());
    world.watch.check(last + OVER_AFTER);
    assert!(world.is_ready());
    assert_eq!(world.in_a_row("cross-safe"), 0);
}
