//! For every order of facts, and every number of restarts: an alert that fires is never lost, and never
//! resolved while one of its facts holds.

use super::*;
use crate::message::BlockKey;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const PARTS: [(&str, AlertKind, Option<u64>); 3] = [
    ("ledger", AlertKind::LedgerFailing, None),
    ("chain 901 peers", AlertKind::NoPeers, Some(901)),
    ("chain 902 endpoints", AlertKind::ChainUnusable, Some(902)),
];

#[derive(Clone, Debug)]
enum Step {
    Message { block: u8, log: u32, kind: AlertKind },
    MessageOver { block: u8, log: u32 },
    Displaced { block: u8, log: u32 },
    Verdict { block: u8, kind: AlertKind },
    Flip { block: u8 },
    Replaced { block: u8 },
    Parts(Vec<bool>),
    Unresolved(Vec<bool>),
    Acknowledged { block: u8 },
    Pass(u64),
    Silence { chain: Option<u64>, kind: Option<AlertKind>, lasts: u64 },
    Restart,
}

fn block(byte: u8) -> BlockKey {
    let chain_id = ChainId::from(if byte == 0 { 901 } else { 902 });
    BlockKey { chain_id, number: u64::from(byte), hash: B256::repeat_byte(byte) }
}

/// What holds, worked out in the plainest way: since when, until when at most, and its kind.
#[derive(Clone, Debug, Default)]
struct Model {
    facts: BTreeMap<(AlertKey, Slot), (AlertKind, u64, u64)>,
    now: u64,
    silences: Vec<Silence>,
}

impl Model {
    fn begin(&mut self, key: AlertKey, slot: Slot, kind: AlertKind) {
        let now = self.now;
        let fact = self.facts.entry((key, slot)).or_insert((kind, now, now));
        (fact.0, fact.2) = (fact.0.max(kind), now);
    }

    fn retain(&mut self, stays: impl Fn(&AlertKey, &Slot, AlertKind) -> bool) {
        self.facts.retain(|(key, slot), (kind, _, _)| stays(key, slot, *kind));
    }

    fn expire(&mut self) {
        let now = self.now;
        self.facts.retain(|_, (kind, _, last)| kind.lasts().is_none_or(|lasts| *last + lasts > now));
        self.silences.retain(|silence| silence.until.0 > now);
    }

    /// The kind that leads each incident that may be reported now.
    fn firing(&self) -> BTreeMap<AlertKey, AlertKind> {
        let mut firing = BTreeMap::new();
        for ((key, _), (kind, since, _)) in &self.facts {
            if since + kind.patience() <= self.now {
                let lead = firing.entry(key.clone()).or_insert(*kind);
                *lead = (*lead).max_by_key_of(*kind);
            }
        }
        firing
    }

    fn is_silenced(&self, key: &AlertKey, kind: AlertKind) -> bool {
        self.silences.iter().any(|silence| silence.covers(key, kind, UnixSeconds(self.now)))
    }
}

trait Heavier {
    fn max_by_key_of(self, other: Self) -> Self;
}

impl Heavier for AlertKind {
    fn max_by_key_of(self, other: Self) -> Self {
        if (other.severity(), other) > (self.severity(), self) { other } else { self }
    }
}

/// The book, the model, and what a receiver knows: the highest severity of each alert that is open.
struct World {
    book: AlertBook,
    model: Model,
    open: BTreeMap<AlertKey, Severity>,
}

impl World {
    fn observe(&mut self, observed: Observed) -> Vec<Transition> {
        self.book.observe(observed, None, UnixSeconds(self.model.now))
    }

    fn begins(&mut self, key: AlertKey, slot: Slot, kind: AlertKind) -> Vec<Transition> {
        self.model.begin(key.clone(), slot.clone(), kind);
        self.observe(Observed::Begins { key, slot, kind, summary: String::new() })
    }

    fn take(&mut self, step: Step) -> Vec<Transition> {
        match step {
            Step::Message { block: at, log, kind } => {
                self.begins(AlertKey::invalid_block(block(at)), Slot::Message(log), kind)
            }
            Step::MessageOver { block: at, log } => {
                let (key, slot) = (AlertKey::invalid_block(block(at)), Slot::Message(log));
                self.model.facts.remove(&(key.clone(), slot.clone()));
                self.observe(Observed::Ends { key, slot })
            }
            Step::Displaced { block: at, log } => {
                let (key, slot) = (AlertKey::invalid_block(block(at)), Slot::Message(log));
                self.model.retain(|of, at, kind| {
                    (of, at) != (&key, &slot) || kind == AlertKind::InvalidMessagePromoted
                });
                self.observe(Observed::Displaced { key, slot })
            }
            Step::Verdict { block: at, kind } => {
                self.begins(AlertKey::invalid_block(block(at)), Slot::Verdict, kind)
            }
            Step::Flip { block: at } => {
                let (kind, at) = (AlertKind::MessageFlipped, block(at));
                self.begins(AlertKey::of(kind, Some(at.chain_id), Subject::block(at)), Slot::Only, kind)
            }
            Step::Replaced { block: at } => {
                let (BlockKey { chain_id, number, .. }, key) =
                    (block(at), AlertKey::invalid_block(block(at)));
                self.model.retain(|of, slot, kind| {
                    *of != key || *slot == Slot::Unresolved || kind == AlertKind::InvalidMessagePromoted
                });
                self.observe(Observed::Replaced { chain_id, number, by: B256::repeat_byte(0xff) })
            }
            Step::Parts(out) => self.parts(&out),
            Step::Unresolved(listed) => self.unresolved(&listed),
            Step::Acknowledged { block: at } => {
                let key = AlertKey::invalid_block(block(at));
                self.model.retain(|of, _, _| *of != key);
                self.observe(Observed::Acknowledged { key })
            }
            Step::Pass(seconds) => {
                self.model.now += seconds;
                self.book.tick(UnixSeconds(self.model.now))
            }
            Step::Silence { chain, kind, lasts } => {
                let until = UnixSeconds(self.model.now + lasts);
                let silence = Silence { chain_id: chain.map(ChainId::from), kind, until };
                self.model.silences.push(silence);
                self.book.silence(silence);
                Vec::new()
            }
            Step::Restart => {
                let text = serde_json::to_string(&self.book.snapshot()).unwrap();
                self.book = AlertBook::restore(serde_json::from_str(&text).unwrap());
                self.book.tick(UnixSeconds(self.model.now))
            }
        }
    }

    fn parts(&mut self, out: &[bool]) -> Vec<Transition> {
        let out = PARTS.into_iter().zip(out).filter(|(_, out)| **out);
        let of = |((part, kind, chain), _): ((&str, _, Option<u64>), _)| NotReady {
            part: part.to_owned(),
            kind,
            chain_id: chain.map(ChainId::from),
            reason: String::new(),
        };
        let out: Vec<NotReady> = out.map(of).collect();
        self.model.retain(|key, _, _| match &key.subject {
            Subject::Part(name) => out.iter().any(|out| out.part == *name),
            _ => true,
        });
        for NotReady { part, kind, chain_id, .. } in &out {
            let key = AlertKey::of(*kind, *chain_id, Subject::Part(part.clone()));
            self.model.begin(key, Slot::Only, *kind);
        }
        self.observe(Observed::NotReady(out))
    }

    fn unresolved(&mut self, listed: &[bool]) -> Vec<Transition> {
        let listed: Vec<BlockKey> =
            (0..3_u8).zip(listed).filter(|(_, listed)| **listed).map(|(at, _)| block(at)).collect();
        let keys: BTreeSet<AlertKey> = listed.iter().map(|block| AlertKey::invalid_block(*block)).collect();
        let facts = self.model.facts.keys();
        let before: BTreeSet<AlertKey> =
            facts.filter(|(_, slot)| *slot == Slot::Unresolved).map(|(key, _)| key.clone()).collect();
        self.model.retain(|key, slot, _| {
            let is_resolved = before.contains(key) && !keys.contains(key);
            !(is_resolved && matches!(slot, Slot::Unresolved | Slot::Verdict))
        });
        for key in keys {
            self.model.begin(key, Slot::Unresolved, AlertKind::AttestationViolated);
        }
        let of = |block: &BlockKey| UnresolvedViolation {
            block: *block,
            is_binding: true,
            is_claimed: false,
            detail: String::new(),
        };
        self.observe(Observed::Unresolved(listed.iter().map(of).collect()))
    }

    /// What a receiver makes of what it is reported.
    fn receive(
        &mut self,
        transitions: &[Transition],
        holding: &BTreeSet<AlertKey>,
    ) -> Result<(), TestCaseError> {
        for transition in transitions {
            let alert = transition.alert();
            let before = self.open.get(&alert.key).copied();
            match transition {
                Transition::Fired(_) => prop_assert_eq!(before, None, "fired twice"),
                Transition::Escalated(_) => {
                    prop_assert!(before.is_some_and(|before| before < alert.severity));
                }
                Transition::Renotified(_) => prop_assert!(before.is_some()),
                Transition::Resolved(_) => {
                    prop_assert!(before.is_some(), "resolved and never reported");
                    prop_assert!(!holding.contains(&alert.key), "resolved while a fact holds");
                    self.open.remove(&alert.key);
                    continue;
                }
            }
            let highest = before.map_or(alert.severity, |before| before.max(alert.severity));
            self.open.insert(alert.key.clone(), highest);
        }
        Ok(())
    }

    fn check(&self, holding: &BTreeSet<AlertKey>) -> Result<(), TestCaseError> {
        for key in self.open.keys() {
            prop_assert!(holding.contains(key), "{} is over, and nobody was reported", key);
        }
        let firing = self.model.firing();
        for (key, kind) in &firing {
            if !self.model.is_silenced(key, *kind) {
                let reported = self.open.get(key).copied();
                prop_assert!(reported >= Some(kind.severity()), "{} is lost: {:?}", key, reported);
            }
        }
        let known: BTreeMap<AlertKey, AlertKind> =
            self.book.firing().map(|alert| (alert.key.clone(), alert.kind)).collect();
        prop_assert_eq!(known, firing);
        Ok(())
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (place, log) = (0..3_u8, 0..2_u32);
    let of_message = prop_oneof![
        Just(AlertKind::InvalidMessageUnsafe),
        Just(AlertKind::InvalidMessageSafe),
        Just(AlertKind::InvalidMessagePromoted),
    ];
    let of_verdict = prop_oneof![
        Just(AlertKind::AttestationViolatedReplayable),
        Just(AlertKind::InvalidBlockDerived),
        Just(AlertKind::AttestationViolated),
    ];
    let any_kind = proptest::option::of((0..AlertKind::ALL.len()).prop_map(|place| AlertKind::ALL[place]));
    let chain = proptest::option::of(901..903_u64);
    let three = || proptest::collection::vec(any::<bool>(), 3);
    prop_oneof![
        4 => (place.clone(), log.clone(), of_message).prop_map(|(block, log, kind)| Step::Message { block, log, kind }),
        2 => (place.clone(), log.clone()).prop_map(|(block, log)| Step::Displaced { block, log }),
        3 => (place.clone(), log).prop_map(|(block, log)| Step::MessageOver { block, log }),
        3 => (place.clone(), of_verdict).prop_map(|(block, kind)| Step::Verdict { block, kind }),
        1 => place.clone().prop_map(|block| Step::Flip { block }),
        2 => place.clone().prop_map(|block| Step::Replaced { block }),
        3 => three().prop_map(Step::Parts),
        2 => three().prop_map(Step::Unresolved),
        1 => place.prop_map(|block| Step::Acknowledged { block }),
        4 => prop_oneof![1..90_u64, 200..4000_u64].prop_map(Step::Pass),
        1 => (chain, any_kind, 1..2000_u64).prop_map(|(chain, kind, lasts)| Step::Silence { chain, kind, lasts }),
        3 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_firing_alert_is_never_lost_and_never_resolved_while_its_fact_holds(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let (book, model) = (AlertBook::default(), Model { now: 1_000_000, ..Model::default() });
        let mut world = World { book, model, open: BTreeMap::new() };
        for step in steps {
            let is_silence = matches!(step, Step::Silence { .. });
            let reported = world.take(step);
            world.model.expire();
            let holding = world.model.facts.keys().map(|(key, _)| key.clone()).collect();
            world.receive(&reported, &holding)?;
            if !is_silence {
                world.check(&holding)?;
            }
        }
    }

    /// A restart changes nothing: with one after every step, the same is reported.
    #[test]
    fn a_restart_after_every_step_reports_the_same(steps in proptest::collection::vec(step(), 1..40)) {
        let world = || World {
            book: AlertBook::default(),
            model: Model { now: 1_000_000, ..Model::default() },
            open: BTreeMap::new(),
        };
        let (mut steady, mut restarted) = (world(), world());
        for step in steps {
            let (of_steady, mut of_restarted) = (steady.take(step.clone()), restarted.take(step));
            of_restarted.extend(restarted.take(Step::Restart));
            let of_steady: Vec<_> = of_steady.into_iter().chain(steady.book.tick(UnixSeconds(steady.model.now))).collect();
            prop_assert_eq!(of_steady, of_restarted);
        }
    }
}
