//! The gater by cases and by random histories.

use super::*;
use proptest::prelude::*;

const NOW: UnixSeconds = UnixSeconds(1_000_000);

fn rules() -> GaterRules {
    GaterRules { low_tide: 2, high_tide: 4, max_connections: 6, max_pending: 3, ..GaterRules::default() }
}

fn gater() -> Gater {
    Gater::new(rules(), Gates::default(), BTreeSet::new())
}

fn addr(last: u8) -> Multiaddr {
    format!("/ip4/10.0.0.{last}/tcp/9222").parse().unwrap()
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

/// Lets a peer in, through every question.
fn join(gater: &mut Gater, number: usize, peer_id: PeerId, now: UnixSeconds) -> Result<(), Gated> {
    let from = addr(u8::try_from(number % 250).unwrap());
    gater.accept(id(number), &from)?;
    enter(gater, number, peer_id, (&from, Endpoint::Listener), now)
}

/// A connection after its handshake.
fn enter(
    gater: &mut Gater,
    number: usize,
    peer_id: PeerId,
    remote: (&Multiaddr, Endpoint),
    now: UnixSeconds,
) -> Result<(), Gated> {
    gater.establish(id(number), peer_id, remote, now)?;
    gater.connected(id(number), peer_id, remote, now);
    Ok(())
}

/// A subscriber's worth.
fn worth(score: f64) -> PeerWorth {
    PeerWorth { score, is_subscribed: true }
}

fn later(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

#[test]
fn above_the_high_tide_the_worst_beyond_their_grace_go_down_to_the_low_one() {
    let mut gater = gater();
    let peers: Vec<_> = (0..5).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    let score =
        |peer_id: &PeerId| worth(if *peer_id == peers[3] || *peer_id == peers[1] { 5.0 } else { 0.0 });
    assert_eq!(gater.survey(later(29), score), vec![], "all are in their grace");
    let leaving: BTreeSet<_> = gater.survey(later(30), score).into_iter().collect();
    assert_eq!(leaving, BTreeSet::from([peers[0], peers[2], peers[4]]));
}

#[test]
fn at_the_high_tide_everyone_stays() {
    let mut gater = gater();
    (0..4).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    assert_eq!(gater.survey(later(1_000), |_| worth(0.0)), vec![]);
    assert!(!gater.wants_peers(NOW, |_| true));
}

#[test]
fn the_hard_cap_holds_within_the_grace_too() {
    let mut gater = gater();
    (0..6).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    let refused = join(&mut gater, 6, PeerId::random(), NOW);
    assert_eq!(refused, Err(Gated::Connections { connections: 6, limit: 6 }));
}

#[test]
fn static_and_protected_peers_get_in_beyond_the_cap_and_are_never_let_go() {
    let (fixed, kept) = (PeerId::random(), PeerId::random());
    let mut gater = Gater::new(rules(), Gates::default(), BTreeSet::from([fixed]));
    gater.protect(kept, true).unwrap();
    (0..6).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    join(&mut gater, 6, fixed, NOW).unwrap();
    join(&mut gater, 7, kept, NOW).unwrap();
    let leaving = gater.survey(later(60), |_| worth(-1_000.0));
    assert_eq!(leaving.len(), 6);
    assert!(!leaving.contains(&fixed) && !leaving.contains(&kept));
}

#[test]
fn a_bad_score_bans_for_an_hour_and_not_a_second_longer() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    join(&mut gater, 0, peer_id, NOW).unwrap();
    assert_eq!(gater.survey(NOW, |_| worth(-100.0)), vec![], "not below the threshold");
    assert_eq!(gater.survey(NOW, |_| worth(-100.1)), vec![peer_id]);
    assert_eq!(gater.survey(NOW, |_| worth(-100.1)), vec![peer_id], "its connection has not closed yet");
    assert_eq!(gater.banned(), 1);
    gater.closed(id(0), peer_id);
    let until = later(3_600);
    assert_eq!(join(&mut gater, 1, peer_id, later(3_599)), Err(Gated::Banned { peer_id, until }));
    assert_eq!(gater.dial(id(2), Some(peer_id), &[addr(1)], NOW), Err(Gated::Banned { peer_id, until }));
    assert_eq!(join(&mut gater, 3, peer_id, until), Ok(()));
}

#[test]
fn protecting_a_peer_ends_its_ban() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    join(&mut gater, 0, peer_id, NOW).unwrap();
    gater.survey(NOW, |_| worth(-200.0));
    gater.protect(peer_id, true).unwrap();
    assert!(gater.gates().bans.is_empty());
    assert_eq!(gater.survey(NOW, |_| worth(-200.0)), vec![]);
}

#[test]
fn an_address_is_refused_on_accept_on_dial_and_when_a_name_resolves_to_it() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    gater.gates_mut().block_subnet("10.0.0.0/30".parse().unwrap()).unwrap();
    assert!(matches!(gater.accept(id(0), &addr(1)), Err(Gated::Subnet { .. })));
    assert!(matches!(gater.dial(id(1), Some(peer_id), &[addr(2)], NOW), Err(Gated::Subnet { .. })));
    let name: Multiaddr = "/dns4/example.org/tcp/9222".parse().unwrap();
    gater.dial(id(2), Some(peer_id), &[name], NOW).unwrap();
    assert!(matches!(
        gater.establish(id(2), peer_id, (&addr(3), Endpoint::Dialer), NOW),
        Err(Gated::Subnet { .. })
    ));
    assert!(gater.dial(id(3), Some(peer_id), &[addr(4)], NOW).is_ok());
}

#[test]
fn blocking_lets_go_of_connections_that_stand_static_ones_included() {
    let fixed = PeerId::random();
    let mut gater = Gater::new(rules(), Gates::default(), BTreeSet::from([fixed]));
    join(&mut gater, 7, fixed, NOW).unwrap();
    let other = PeerId::random();
    join(&mut gater, 8, other, NOW).unwrap();
    gater.gates_mut().block_peer(other).unwrap();
    assert_eq!(gater.survey(NOW, |_| worth(0.0)), vec![other]);
    gater.gates_mut().block_addr("10.0.0.7".parse().unwrap()).unwrap();
    assert!(gater.survey(NOW, |_| worth(0.0)).contains(&fixed));
}

#[test]
fn a_peer_that_comes_back_before_its_going_was_noticed_has_to_come_again() {
    let fixed = PeerId::random();
    let mut gater = Gater::new(rules(), Gates::default(), BTreeSet::from([fixed]));
    for (number, peer_id) in [(0, PeerId::random()), (10, fixed)] {
        join(&mut gater, number, peer_id, NOW).unwrap();
        let dialled = enter(&mut gater, number + 1, peer_id, (&addr(1), Endpoint::Dialer), NOW);
        assert_eq!(dialled, Ok(()), "two may dial each other at once");
        let refused = join(&mut gater, number + 2, peer_id, NOW);
        assert_eq!(refused, Err(Gated::Reconnecting { peer_id }));
        assert_eq!((gater.take_stale(), gater.take_stale()), (Some((peer_id, id(number))), None));
        gater.closed(id(number), peer_id);
        assert_eq!(join(&mut gater, number + 3, peer_id, NOW), Ok(()));
    }
}

#[test]
fn handshakes_are_bounded_and_their_places_come_free() {
    let mut gater = gater();
    (0..3).for_each(|number| gater.accept(id(number), &addr(1)).unwrap());
    assert_eq!(gater.accept(id(3), &addr(1)), Err(Gated::Pending { pending: 3, limit: 3 }));
    gater.settle(id(0));
    assert_eq!(gater.accept(id(3), &addr(1)), Ok(()));
}

#[test]
fn one_host_cannot_take_every_handshake() {
    let rules = GaterRules { max_pending: 10, max_pending_per_host: 2, ..rules() };
    let mut gater = Gater::new(rules, Gates::default(), BTreeSet::new());
    let of = |text: &str| text.parse::<Multiaddr>().unwrap();
    let hosts =
        ["/ip4/10.0.0.1/tcp/1", "/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::2/tcp/1", "/ip4/10.0.0.1/tcp/2"];
    for (number, addr) in hosts.iter().enumerate() {
        gater.accept(id(number), &of(addr)).unwrap();
    }
    let refused =
        |addr: &str| Err(Gated::PendingOfHost { addr: addr.parse().unwrap(), pending: 2, limit: 2 });
    assert_eq!(gater.accept(id(4), &of("/ip4/10.0.0.1/tcp/3")), refused("10.0.0.1"));
    assert_eq!(gater.accept(id(5), &of("/ip6/2001:db8::ffff/tcp/3")), refused("2001:db8::"));
    assert_eq!(gater.accept(id(6), &of("/ip6/2001:db8:0:1::1/tcp/3")), Ok(()));
    for number in 7..10 {
        assert_eq!(gater.accept(id(number), &of("/ip4/127.0.0.1/tcp/3")), Ok(()), "this machine");
    }
    gater.settle(id(0));
    assert_eq!(gater.accept(id(4), &of("/ip4/10.0.0.1/tcp/3")), Ok(()));
}

#[test]
fn places_are_kept_for_peers_that_are_dialled() {
    let rules = GaterRules { max_inbound: 4, ..rules() };
    let mut gater = Gater::new(rules, Gates::default(), BTreeSet::new());
    (0..4).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    let refused = join(&mut gater, 4, PeerId::random(), NOW);
    assert_eq!(refused, Err(Gated::Inbound { connections: 4, limit: 4 }));
    let dialled =
        |gater: &mut Gater, number| enter(gater, number, PeerId::random(), (&addr(1), Endpoint::Dialer), NOW);
    assert_eq!((dialled(&mut gater, 5), dialled(&mut gater, 6)), (Ok(()), Ok(())));
    assert_eq!(dialled(&mut gater, 7), Err(Gated::Connections { connections: 6, limit: 6 }));
}

/// Else anyone who opens connections again every few seconds would have all the others let go.
#[test]
fn newcomers_push_nobody_out() {
    let mut gater = gater();
    let peers: Vec<_> = (0..3).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    (3..6).for_each(|number| join(&mut gater, number, PeerId::random(), later(60)).unwrap());
    assert_eq!(gater.survey(later(60), |_| worth(0.0)), vec![]);
}

#[test]
fn who_is_subscribed_to_nothing_goes_first() {
    let mut gater = gater();
    let peers: Vec<_> = (0..5).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    let worth = |peer_id: &PeerId| {
        let is_idle = peers[..3].contains(peer_id);
        PeerWorth { score: if is_idle { 0.0 } else { -5.0 }, is_subscribed: !is_idle }
    };
    let leaving: BTreeSet<_> = gater.survey(later(30), worth).into_iter().collect();
    assert_eq!(leaving, peers[..3].iter().copied().collect());
}

#[test]
fn strangers_who_are_subscribed_to_nothing_do_not_end_the_search() {
    let (mut gater, subscriber) = (gater(), PeerId::random());
    join(&mut gater, 0, subscriber, NOW).unwrap();
    (1..5).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    let is_subscribed = |peer_id: &PeerId| *peer_id == subscriber;
    assert!(!gater.wants_peers(later(29), is_subscribed), "they may yet subscribe");
    assert!(gater.wants_peers(later(30), is_subscribed));
    assert!(!gater.wants_peers(later(30), |_| true));
}

#[derive(Clone, Debug)]
enum Step {
    Join { peer: usize },
    Leave { peer: usize },
    Block { peer: usize },
    Unblock { peer: usize },
    BlockAddr { last: u8 },
    Wait { seconds: u64 },
    Survey { bad: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let peer = || 0..12_usize;
    let step = prop_oneof![
        6 => peer().prop_map(|peer| Step::Join { peer }),
        2 => peer().prop_map(|peer| Step::Leave { peer }),
        1 => peer().prop_map(|peer| Step::Block { peer }),
        1 => peer().prop_map(|peer| Step::Unblock { peer }),
        1 => (0..40_u8).prop_map(|last| Step::BlockAddr { last }),
        2 => (0..2_000_u64).prop_map(|seconds| Step::Wait { seconds }),
        3 => peer().prop_map(|bad| Step::Survey { bad }),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever happens: caps hold, exempt peers stay, who is refused was shut out or there was no room, and after
    /// a survey nobody is left who is shut out, nor more than the high tide beyond their grace.
    #[test]
    fn in_every_history_the_rules_hold(steps in steps()) {
        let peers: Vec<_> = (0..12).map(|_| PeerId::random()).collect();
        let exempt = BTreeSet::from([peers[0]]);
        let mut gater = Gater::new(rules(), Gates::default(), exempt);
        let (mut now, mut next) = (NOW, 0_usize);
        for step in steps {
            match step {
                Step::Join { peer } => {
                    next += 1;
                    let joined = join(&mut gater, next, peers[peer], now);
                    let is_shut_out = matches!(joined, Err(Gated::Connections { .. } | Gated::Banned { .. }));
                    prop_assert!(peer != 0 || !is_shut_out);
                }
                Step::Leave { peer } => {
                    let held = gater.peers.get(&peers[peer]);
                    let connection = held.and_then(|peer| peer.connections.keys().next().copied());
                    connection.into_iter().for_each(|connection| gater.closed(connection, peers[peer]));
                }
                Step::Block { peer } => gater.gates_mut().block_peer(peers[peer]).unwrap(),
                Step::Unblock { peer } => { gater.gates_mut().peers.remove(&peers[peer]); }
                Step::BlockAddr { last } => {
                    gater.gates_mut().block_addr(IpAddr::from([10, 0, 0, last])).unwrap();
                }
                Step::Wait { seconds } => now = UnixSeconds(now.0 + seconds),
                Step::Survey { bad } => {
                    let score = |peer_id: &PeerId| worth(if *peer_id == peers[bad] { -101.0 } else { 0.0 });
                    for peer_id in gater.survey(now, score) {
                        let connections: Vec<_> = gater.peers[&peer_id].connections.keys().copied().collect();
                        connections.into_iter().for_each(|connection| gater.closed(connection, peer_id));
                    }
                    prop_assert!(bad == 0 || !gater.peers.contains_key(&peers[bad]));
                    prop_assert!(!gater.gates().bans.contains_key(&peers[0]));
                    prop_assert!(gater.gates().bans.values().all(|until| *until > now && until.0 <= now.0 + 3_600));
                    prop_assert!(gater.peers.iter().all(|(peer_id, peer)| !gater.is_unwanted(*peer_id, peer, now)));
                    let settled = gater.peers.values().filter(|peer| now.0 - peer.since.0 >= 30).count();
                    prop_assert!(settled <= 4);
                }
            }
            prop_assert!(gater.connections(|_| true) <= 6);
            prop_assert!(gater.stale.iter().all(|(peer_id, id)| gater.peers[peer_id].connections.contains_key(id)));
            prop_assert!(gater.peers.values().all(|peer| peer.connections.len() <= 2));
            prop_assert!(gater.peers.values().all(|peer| !peer.connections.is_empty()));
        }
    }
}
