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
    gater.establish(id(number), peer_id, &from, now)?;
    gater.connected(id(number), peer_id, &from, now);
    Ok(())
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
    let score = |peer_id: &PeerId| if *peer_id == peers[3] || *peer_id == peers[1] { 5.0 } else { 0.0 };
    assert_eq!(gater.survey(later(29), score), vec![], "all are in their grace");
    let leaving: BTreeSet<_> = gater.survey(later(30), score).into_iter().collect();
    assert_eq!(leaving, BTreeSet::from([peers[0], peers[2], peers[4]]));
}

#[test]
fn at_the_high_tide_everyone_stays() {
    let mut gater = gater();
    (0..4).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    assert_eq!(gater.survey(later(1_000), |_| 0.0), vec![]);
    assert!(!gater.wants_peers());
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
    let leaving = gater.survey(later(60), |_| -1_000.0);
    assert_eq!(leaving.len(), 6);
    assert!(!leaving.contains(&fixed) && !leaving.contains(&kept));
}

#[test]
fn a_bad_score_bans_for_an_hour_and_not_a_second_longer() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    join(&mut gater, 0, peer_id, NOW).unwrap();
    assert_eq!(gater.survey(NOW, |_| -100.0), vec![], "not below the threshold");
    assert_eq!(gater.survey(NOW, |_| -100.1), vec![peer_id]);
    assert_eq!(gater.survey(NOW, |_| -100.1), vec![peer_id], "its connection has not closed yet");
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
    gater.survey(NOW, |_| -200.0);
    gater.protect(peer_id, true).unwrap();
    assert!(gater.gates().bans.is_empty());
    assert_eq!(gater.survey(NOW, |_| -200.0), vec![]);
}

#[test]
fn an_address_is_refused_on_accept_on_dial_and_when_a_name_resolves_to_it() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    gater.gates_mut().block_subnet("10.0.0.0/30".parse().unwrap()).unwrap();
    assert!(matches!(gater.accept(id(0), &addr(1)), Err(Gated::Subnet { .. })));
    assert!(matches!(gater.dial(id(1), Some(peer_id), &[addr(2)], NOW), Err(Gated::Subnet { .. })));
    let name: Multiaddr = "/dns4/example.org/tcp/9222".parse().unwrap();
    gater.dial(id(2), Some(peer_id), &[name], NOW).unwrap();
    assert!(matches!(gater.establish(id(2), peer_id, &addr(3), NOW), Err(Gated::Subnet { .. })));
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
    assert_eq!(gater.survey(NOW, |_| 0.0), vec![other]);
    gater.gates_mut().block_addr("10.0.0.7".parse().unwrap()).unwrap();
    assert!(gater.survey(NOW, |_| 0.0).contains(&fixed));
}

#[test]
fn one_peer_cannot_take_every_place() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    (0..3).for_each(|number| join(&mut gater, number, peer_id, NOW).unwrap());
    let refused = join(&mut gater, 3, peer_id, NOW);
    assert_eq!(refused, Err(Gated::ConnectionsOfPeer { peer_id, connections: 3, limit: 3 }));
}

#[test]
fn handshakes_are_bounded_and_their_places_come_free() {
    let mut gater = gater();
    (0..3).for_each(|number| gater.accept(id(number), &addr(1)).unwrap());
    assert_eq!(gater.accept(id(3), &addr(1)), Err(Gated::Pending { pending: 3, limit: 3 }));
    gater.settle(id(0));
    assert_eq!(gater.accept(id(3), &addr(1)), Ok(()));
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
                    let score = |peer_id: &PeerId| if *peer_id == peers[bad] { -101.0 } else { 0.0 };
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
            prop_assert!(gater.connections() <= 6);
            prop_assert!(gater.peers.values().all(|peer| !peer.connections.is_empty()));
        }
    }
}
