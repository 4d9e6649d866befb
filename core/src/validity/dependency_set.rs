//! [`DependencySet`]: which chains' messages each chain may execute, and since when.
//!
//! Each chain has its own set: watching another chain never extends it. A value that no source has stated is
//! unknown, and can be learnt once; clones share it. Unknown never means "no".
//!
//! Spec: interop/dependency-set.md.

use super::{CycleRule, InvalidReason, Objection, Unclear};
use crosscheck_p2p::{ChainId, UnixSeconds};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long a message may be executed after it was initiated, in seconds, unless the set says otherwise.
pub const DEFAULT_EXPIRY_WINDOW: u64 = 604_800;

/// One chain of a set whose chains all may send each other messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The timestamp at which interop activates on the chain.
    pub interop_time: UnixSeconds,
    /// Seconds between two blocks of the chain.
    pub block_time: u64,
}

/// What is known of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRules {
    /// Seconds between two blocks of the chain.
    pub block_time: u64,
    /// The timestamp at which interop activates on the chain. `None`: not known.
    pub interop_time: Option<UnixSeconds>,
    /// The chains whose messages it may execute; itself always is one. `None`: not known.
    pub dependencies: Option<BTreeSet<ChainId>>,
}

/// What a chain's rollup node says of the rules that may be learnt. `None`: it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedRules {
    /// The timestamp at which interop activates on the chain.
    pub interop_time: Option<UnixSeconds>,
    /// The chains whose messages it may execute.
    pub dependencies: Option<BTreeSet<ChainId>>,
    /// How long a message may be executed after it was initiated, in seconds.
    pub expiry_window: Option<u64>,
}

/// From whom each rule of a chain was learnt. `None`: it is set, or is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// The timestamp at which interop activates.
    pub interop_time: Option<String>,
    /// The dependency set.
    pub dependencies: Option<String>,
    /// The expiry window.
    pub expiry_window: Option<String>,
}

/// The chains that are watched, with the dependency set of each, and how long messages count.
#[derive(Clone, Debug)]
pub struct DependencySet {
    chains: Arc<BTreeMap<ChainId, Chain>>,
    cycle_rule: CycleRule,
}

#[derive(Debug)]
struct Chain {
    block_time: u64,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    interop_time: Option<UnixSeconds>,
    dependencies: Option<BTreeSet<ChainId>>,
    expiry_window: Option<u64>,
    learnt: Learnt,
    agreement: RuleAgreement,
}

/// Whether a chain's own rollup node works by the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAgreement {
    /// It does, or there is no node to ask.
    Given,
    /// It has not reported its rules yet.
    Awaited,
    /// It works by other rules.
    Refused,
}

impl DependencySet {
    /// These chains, which all may send each other messages, with this expiry window, in seconds.
    pub fn new(members: BTreeMap<ChainId, Member>, expiry_window: u64) -> Self {
        let all: BTreeSet<ChainId> = members.keys().copied().collect();
        let rules = |member: Member| ChainRules {
            block_time: member.block_time,
            interop_time: Some(member.interop_time),
            dependencies: Some(all.clone()),
        };
        let chains = members.into_iter().map(|(chain_id, member)| (chain_id, rules(member)));
        Self::of_chains(chains.collect(), expiry_window)
    }

    /// These chains, each with its own set, with this expiry window, in seconds.
    pub fn of_chains(chains: BTreeMap<ChainId, ChainRules>, expiry_window: u64) -> Self {
        let chain = |rules: ChainRules| Chain {
            block_time: rules.block_time,
            known: RwLock::new(Known {
                interop_time: rules.interop_time,
                dependencies: rules.dependencies,
                expiry_window: Some(expiry_window),
                learnt: Learnt::default(),
                agreement: RuleAgreement::Given,
            }),
        };
        let chains = chains.into_iter().map(|(chain_id, rules)| (chain_id, chain(rules)));
        Self { chains: Arc::new(chains.collect()), cycle_rule: CycleRule::default() }
    }

    /// The same set, whose chains' expiry windows are not known: the protocol's until they are learnt.
    #[must_use]
    pub fn without_expiry_window(self) -> Self {
        for chain in self.chains.values() {
            chain.known.write().expiry_window = None;
        }
        self
    }

    /// The same set, whose chains' nodes name cycles by this rule.
    #[must_use]
    pub fn with_cycle_rule(self, cycle_rule: CycleRule) -> Self {
        Self { cycle_rule, ..self }
    }

    /// By which rule the chains' nodes name cycles.
    pub const fn cycle_rule(&self) -> CycleRule {
        self.cycle_rule
    }

    /// Whether the chain is watched.
    pub fn contains(&self, chain_id: ChainId) -> bool {
        self.chains.contains_key(&chain_id)
    }

    /// The chains that are watched, ascending.
    pub fn chain_ids(&self) -> impl Iterator<Item = ChainId> + '_ {
        self.chains.keys().copied()
    }

    /// How many seconds after its initiation a message may still be executed on a chain: the protocol's
    /// number where none is known.
    pub fn expiry_window(&self, chain_id: ChainId) -> u64 {
        self.known_expiry_window(chain_id).unwrap_or(DEFAULT_EXPIRY_WINDOW)
    }

    /// The same, if it is set or was learnt.
    pub fn known_expiry_window(&self, chain_id: ChainId) -> Option<u64> {
        self.chains.get(&chain_id)?.known.read().expiry_window
    }

    /// From whom the chain's rules were learnt.
    pub fn learnt(&self, chain_id: ChainId) -> Learnt {
        self.chains.get(&chain_id).map_or_else(Learnt::default, |chain| chain.known.read().learnt.clone())
    }

    /// What is known of a chain that is watched.
    pub fn rules(&self, chain_id: ChainId) -> Option<ChainRules> {
        let chain = self.chains.get(&chain_id)?;
        let known = chain.known.read();
        Some(ChainRules {
            block_time: chain.block_time,
            interop_time: known.interop_time,
            dependencies: known.dependencies.clone(),
        })
    }

    /// By which rules a chain works, if that is clear.
    ///
    /// # Errors
    /// If it is not watched, or its rollup node has not reported its rules yet, or reports different ones.
    pub fn agreed_rules(&self, chain_id: ChainId) -> Result<ChainRules, Unclear> {
        let rules = self.rules(chain_id).ok_or(Unclear::NotWatched { chain_id })?;
        if let Some(chain) = self.chains.get(&chain_id) {
            chain.known.read().check_accord(chain_id)?;
        }
        Ok(rules)
    }

    /// The chains whose messages a chain may execute, itself among them: all of these are watched, and have
    /// the same set.
    ///
    /// # Errors
    /// If one of them is not watched, or its set is not known, or is another.
    pub fn set_of(&self, chain_id: ChainId) -> Result<BTreeSet<ChainId>, Unclear> {
        let own = self.dependencies_of(chain_id)?;
        for member in &own {
            if self.dependencies_of(*member)? != own {
                return Err(Unclear::OtherSet { chain_id, member: *member });
            }
        }
        Ok(own)
    }

    fn dependencies_of(&self, chain_id: ChainId) -> Result<BTreeSet<ChainId>, Unclear> {
        let dependencies = self.agreed_rules(chain_id)?.dependencies;
        let mut dependencies = dependencies.ok_or(Unclear::Dependencies { chain_id })?;
        dependencies.insert(chain_id);
        Ok(dependencies)
    }

    /// Seconds between two blocks of a chain that is watched.
    pub fn block_time(&self, chain_id: ChainId) -> Option<u64> {
        self.chains.get(&chain_id).map(|chain| chain.block_time)
    }

    /// Takes over what is said of a chain, as far as nothing was known of it, and remembers who said it.
    pub fn learn(&self, chain_id: ChainId, reported: ReportedRules, by: &str) {
        let Some(chain) = self.chains.get(&chain_id) else { return };
        let mut known = chain.known.write();
        let Known { interop_time, dependencies, expiry_window, learnt, .. } = &mut *known;
        fill_in(interop_time, reported.interop_time, &mut learnt.interop_time, by);
        fill_in(dependencies, reported.dependencies, &mut learnt.dependencies, by);
        fill_in(expiry_window, reported.expiry_window, &mut learnt.expiry_window, by);
    }

    /// Notes whether a chain's own rollup node works by the same rules: nothing is clear of the chain unless
    /// it does.
    pub fn set_rule_agreement(&self, chain_id: ChainId, agreement: RuleAgreement) {
        if let Some(chain) = self.chains.get(&chain_id) {
            chain.known.write().agreement = agreement;
        }
    }

    /// The chains whose blocks may bear on the validity of a chain's messages: those of its set, of theirs,
    /// and so on. Where a set is not known, every chain that is watched.
    pub fn reachable_from(&self, chain_id: ChainId) -> BTreeSet<ChainId> {
        let mut reached = BTreeSet::from([chain_id]);
        let mut list = vec![chain_id];
        while let Some(next) = list.pop() {
            let Some(chain) = self.chains.get(&next) else { continue };
            match &chain.known.read().dependencies {
                Some(dependencies) => list.extend(dependencies.iter().filter(|id| reached.insert(**id))),
                None => return self.chain_ids().collect(),
            }
        }
        reached
    }

    /// Whether messages of a chain may be executed on another.
    pub(super) fn check_membership(&self, executing: ChainId, initiating: ChainId) -> Result<(), Objection> {
        let unknown = InvalidReason::ExecutingChainUnknown { chain_id: executing };
        let known = self.chains.get(&executing).ok_or(unknown)?.known.read();
        known.check_accord(executing)?;
        match &known.dependencies {
            _ if executing == initiating => Ok(()),
            None => Err(Unclear::Dependencies { chain_id: executing }.into()),
            Some(dependencies) if dependencies.contains(&initiating) => Ok(()),
            Some(_) => Err(InvalidReason::UnknownChain { chain_id: initiating }.into()),
        }
    }

    /// Whether a block with this timestamp comes after the chain's activation block, as messages need it to.
    ///
    /// The activation block itself is the first at or after the activation time: it holds no user
    /// transactions, and its logs initiate nothing.
    pub(super) fn check_active(&self, chain_id: ChainId, timestamp: UnixSeconds) -> Result<(), Objection> {
        let chain = self.chains.get(&chain_id).ok_or(Unclear::NotWatched { chain_id })?;
        let known = chain.known.read();
        known.check_accord(chain_id)?;
        let interop_time = known.interop_time.ok_or(Unclear::InteropTime { chain_id })?;
        // An overflow means an activation beyond representable time: never.
        match interop_time.0.checked_add(chain.block_time) {
            Some(first_usable) if timestamp.0 >= first_usable => Ok(()),
            Some(_) | None => Err(InvalidReason::NotActive { chain_id, timestamp }.into()),
        }
    }
}

/// Takes over what is said, if nothing was known.
fn fill_in<T>(known: &mut Option<T>, reported: Option<T>, source: &mut Option<String>, by: &str) {
    if let (None, Some(reported)) = (&known, reported) {
        *known = Some(reported);
        *source = Some(by.to_owned());
    }
}

impl Known {
    const fn check_accord(&self, chain_id: ChainId) -> Result<(), Unclear> {
        match self.agreement {
            RuleAgreement::Given => Ok(()),
            RuleAgreement::Awaited => Err(Unclear::Unasked { chain_id }),
            RuleAgreement::Refused => Err(Unclear::Disputed { chain_id }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::aligned_activation_block(10, 2, 10, false)]
    #[case::first_block_after(10, 2, 12, true)]
    #[case::unaligned_activation_block(1, 2, 2, false)]
    #[case::first_after_unaligned(1, 2, 4, true)]
    #[case::before(10, 2, 8, false)]
    #[case::never(u64::MAX, 2, u64::MAX, false)]
    fn activation(
        #[case] interop_time: u64,
        #[case] block_time: u64,
        #[case] timestamp: u64,
        #[case] usable: bool,
    ) {
        let member = Member { interop_time: UnixSeconds(interop_time), block_time };
        let set = DependencySet::new([(ChainId::from(901), member)].into(), 10);
        assert_eq!(set.check_active(ChainId::from(901), UnixSeconds(timestamp)).is_ok(), usable);
    }

    fn rules(interop_time: Option<u64>, dependencies: Option<&[u64]>) -> ChainRules {
        let ids = |ids: &[u64]| ids.iter().map(|id| ChainId::from(*id)).collect();
        ChainRules {
            block_time: 2,
            interop_time: interop_time.map(UnixSeconds),
            dependencies: dependencies.map(ids),
        }
    }

    /// Two chains of one set, one of a set of its own, one of which nothing is known, one whose set names a
    /// chain that is not watched.
    fn five() -> DependencySet {
        let chains = [
            (10, rules(Some(0), Some(&[10, 130]))),
            (130, rules(Some(0), Some(&[10, 130]))),
            (57073, rules(Some(0), Some(&[57073]))),
            (8, rules(None, None)),
            (9, rules(Some(0), Some(&[9, 7]))),
        ];
        DependencySet::of_chains(chains.map(|(id, rules)| (ChainId::from(id), rules)).into(), 100)
    }

    #[rstest]
    #[case::of_one_set(10, 130, "")]
    #[case::itself(57073, 57073, "")]
    #[case::watched_but_of_another_set(10, 57073, "unknown-chain")]
    #[case::the_other_way(57073, 10, "unknown-chain")]
    #[case::not_watched_and_of_no_set(10, 7, "unknown-chain")]
    #[case::of_the_set_though_not_watched(9, 7, "")]
    #[case::the_set_is_not_known(8, 10, "unclear")]
    #[case::not_watched(7, 10, "executing-chain-unknown")]
    fn membership_is_decided_by_the_executing_chain(
        #[case] executing: u64,
        #[case] initiating: u64,
        #[case] code: &str,
    ) {
        let outcome = five().check_membership(executing.into(), initiating.into());
        assert_eq!(outcome.err().map_or("", |objection| objection.code()), code);
    }

    #[test]
    fn an_unknown_rule_is_learnt_once_and_shared_by_every_clone() {
        let set = five();
        let clone = set.clone();
        let (chain_id, at) = (ChainId::from(8), UnixSeconds(100));
        assert_eq!(clone.check_active(chain_id, at), Err(Unclear::InteropTime { chain_id }.into()));
        let reported = ReportedRules {
            interop_time: Some(UnixSeconds(50)),
            dependencies: Some([chain_id].into()),
            expiry_window: Some(60),
        };
        set.learn(chain_id, reported, "#0 http://first");
        assert_eq!(clone.check_active(chain_id, at), Ok(()));
        assert_eq!(clone.check_membership(chain_id, 10.into()).unwrap_err().code(), "unknown-chain");
        let later = ReportedRules { interop_time: Some(UnixSeconds(99)), ..ReportedRules::default() };
        set.learn(chain_id, later, "#0 http://second");
        assert_eq!(clone.rules(chain_id).unwrap().interop_time, Some(UnixSeconds(50)), "known already");
        let first = Some("#0 http://first".to_owned());
        let sources = Learnt { interop_time: first.clone(), dependencies: first, expiry_window: None };
        assert_eq!(clone.learnt(chain_id), sources, "the window was set");
        assert_eq!(clone.learnt(10.into()), Learnt::default());
        assert_eq!(clone.expiry_window(chain_id), 100);
    }

    #[test]
    fn an_unset_window_is_the_protocol_default_until_learnt_for_each_chain() {
        let set = five().without_expiry_window();
        let window = |seconds| ReportedRules { expiry_window: Some(seconds), ..ReportedRules::default() };
        assert_eq!(set.known_expiry_window(10.into()), None);
        assert_eq!(set.expiry_window(10.into()), DEFAULT_EXPIRY_WINDOW);
        set.learn(10.into(), window(60), "#0 http://first");
        set.learn(10.into(), window(70), "#0 http://second");
        assert_eq!(
            (set.expiry_window(10.into()), set.expiry_window(130.into())),
            (60, DEFAULT_EXPIRY_WINDOW)
        );
        assert_eq!(set.learnt(10.into()).expiry_window.as_deref(), Some("#0 http://first"));
    }

    #[test]
    fn no_check_passes_for_a_chain_whose_node_contradicts_the_configuration() {
        let set = five();
        let (chain_id, at) = (ChainId::from(130), UnixSeconds(100));
        set.set_rule_agreement(chain_id, RuleAgreement::Awaited);
        assert_eq!(set.check_active(chain_id, at), Err(Unclear::Unasked { chain_id }.into()));
        set.set_rule_agreement(chain_id, RuleAgreement::Refused);
        assert_eq!(set.check_active(chain_id, at), Err(Unclear::Disputed { chain_id }.into()));
        assert_eq!(set.check_membership(chain_id, chain_id), Err(Unclear::Disputed { chain_id }.into()));
        assert_eq!(set.check_membership(10.into(), chain_id), Ok(()), "its own set is clear");
        set.set_rule_agreement(chain_id, RuleAgreement::Given);
        assert_eq!(set.check_active(chain_id, at), Ok(()));
    }

    #[rstest]
    #[case::of_one_set(130, Ok(&[10, 130][..]))]
    #[case::alone(57073, Ok(&[57073][..]))]
    #[case::the_set_is_not_known(8, Err(Unclear::Dependencies { chain_id: ChainId::from(8_u64) }))]
    #[case::one_of_it_is_not_watched(9, Err(Unclear::NotWatched { chain_id: ChainId::from(7_u64) }))]
    #[case::not_watched(7, Err(Unclear::NotWatched { chain_id: ChainId::from(7_u64) }))]
    fn sets_of_chains(#[case] of: u64, #[case] expected: Result<&[u64], Unclear>) {
        let expected = expected.map(|ids| ids.iter().map(|id| ChainId::from(*id)).collect());
        assert_eq!(five().set_of(of.into()), expected);
    }

    #[test]
    fn a_set_whose_member_has_another_set_is_not_a_set() {
        let chains = [(10, rules(Some(0), Some(&[10, 130]))), (130, rules(Some(0), Some(&[130])))];
        let chains = chains.map(|(id, rules)| (ChainId::from(id), rules));
        let (chain_id, member) = (ChainId::from(10), ChainId::from(130));
        let set = DependencySet::of_chains(chains.into(), 100);
        assert_eq!(set.set_of(chain_id), Err(Unclear::OtherSet { chain_id, member }));
        assert_eq!(set.set_of(member), Ok([member].into()));
        set.set_rule_agreement(member, RuleAgreement::Awaited);
        assert_eq!(set.set_of(member), Err(Unclear::Unasked { chain_id: member }));
    }

    #[rstest]
    #[case::of_one_set(10, &[10, 130])]
    #[case::alone(57073, &[57073])]
    #[case::the_set_is_not_known(8, &[8, 9, 10, 130, 57073])]
    #[case::one_that_is_not_watched(9, &[7, 9])]
    fn chains_that_depend_on_each_other(#[case] from: u64, #[case] reached: &[u64]) {
        let reached: BTreeSet<ChainId> = reached.iter().map(|id| ChainId::from(*id)).collect();
        assert_eq!(five().reachable_from(from.into()), reached);
    }
}
