//! The gater by cases and by random histories.

use super::*;
use proptest::prelude::*;

const NOW: UnixSeconds = UnixSeconds(1_000_000);

fn limits() -> GaterLimits {
    GaterLimits { peers_low: 2, peers_high: 4, max_connections: 6, max_pending: 3, ..GaterLimits::default() }
}

fn gater() -> ConnectionGater {
    ConnectionGater::new(limits(), BlockList::default(), BTreeSet::new())
}

fn addr(last: u8) -> Multiaddr {
    format!("/ip4/10.0.0.{last}/tcp/9222").parse().unwrap()
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

/// Connects a peer, through every check.
fn join(
    gater: &mut ConnectionGater,
    number: usize,
    peer_id: PeerId,
    now: UnixSeconds,
) -> Result<(), ConnectionRefusal> {
    let from = addr(u8::try_from(number % 250).unwrap());
    gater.accept(id(number), &from)?;
    enter(gater, number, peer_id, (&from, Endpoint::Listener), now)
}

/// A connection after its handshake.
fn enter(
    gater: &mut ConnectionGater,
    number: usize,
    peer_id: PeerId,
    remote: (&Multiaddr, Endpoint),
    now: UnixSeconds,
) -> Result<(), ConnectionRefusal> {
    gater.establish(id(number), peer_id, remote, now)?;
    gater.connected(id(number), peer_id, remote, now);
    Ok(())
}

/// A subscriber with this score.
fn value(score: f64) -> PeerValue {
    PeerValue { score, is_subscribed: true }
}

fn later(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

#[test]
fn above_the_high_limit_the_worst_peers_past_their_grace_are_pruned_to_the_low_limit() {
    let mut gater = gater();
    let peers: Vec<_> = (0..5).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    let score =
        |peer_id: &PeerId| value(if *peer_id == peers[3] || *peer_id == peers[1] { 5.0 } else { 0.0 });
    assert_eq!(gater.review_peers(later(29), score), vec![], "all are in their grace");
    let leaving: BTreeSet<_> = gater.review_peers(later(30), score).into_iter().collect();
    assert_eq!(leaving, BTreeSet::from([peers[0], peers[2], peers[4]]));
}

#[test]
fn at_the_high_limit_no_peer_is_pruned() {
    let mut gater = gater();
    (0..4).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    assert_eq!(gater.review_peers(later(1_000), |_| value(0.0)), vec![]);
    assert!(!gater.wants_peers(NOW, |_| true));
}

#[test]
fn the_hard_limit_applies_to_peers_in_their_grace_too() {
    let mut gater = gater();
    (0..6).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    let refused = join(&mut gater, 6, PeerId::random(), NOW);
    assert_eq!(refused, Err(ConnectionRefusal::TooManyConnections { connections: 6, limit: 6 }));
}

#[test]
fn static_and_protected_peers_are_accepted_beyond_the_limit_and_never_disconnected() {
    let (fixed, kept) = (PeerId::random(), PeerId::random());
    let mut gater = ConnectionGater::new(limits(), BlockList::default(), BTreeSet::from([fixed]));
    gater.protect(kept, true).unwrap();
    (0..6).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    join(&mut gater, 6, fixed, NOW).unwrap();
    join(&mut gater, 7, kept, NOW).unwrap();
    let leaving = gater.review_peers(later(60), |_| value(-1_000.0));
    assert_eq!(leaving.len(), 6);
    assert!(!leaving.contains(&fixed) && !leaving.contains(&kept));
}

#[test]
fn a_bad_score_bans_for_an_hour_and_not_a_second_longer() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    join(&mut gater, 0, peer_id, NOW).unwrap();
    assert_eq!(gater.review_peers(NOW, |_| value(-100.0)), vec![], "not below the threshold");
    assert_eq!(gater.review_peers(NOW, |_| value(-100.1)), vec![peer_id]);
    assert_eq!(
        gater.review_peers(NOW, |_| value(-100.1)),
        vec![peer_id],
        "its connection has not closed yet"
    );
    assert_eq!(gater.banned(), 1);
    gater.closed(id(0), peer_id);
    let until = later(3_600);
    assert_eq!(
        join(&mut gater, 1, peer_id, later(3_599)),
        Err(ConnectionRefusal::PeerBanned { peer_id, until })
    );
    assert_eq!(
        gater.dial(id(2), Some(peer_id), &[addr(1)], NOW),
        Err(ConnectionRefusal::PeerBanned { peer_id, until })
    );
    assert_eq!(join(&mut gater, 3, peer_id, until), Ok(()));
}

#[test]
fn protected_peers_are_limited() {
    let mut gater = gater();
    let first = PeerId::random();
    gater.protect(first, true).unwrap();
    for _ in 1..MAX_PROTECTED {
        gater.protect(PeerId::random(), true).unwrap();
    }
    let full = TooManyProtected { limit: MAX_PROTECTED };
    assert_eq!(gater.protect(PeerId::random(), true), Err(full));
    assert!(full.to_string().contains("10000 peers are protected already"), "{full}");
    assert_eq!(gater.protect(first, true), Ok(()), "it is protected already");
    gater.protect(first, false).unwrap();
    assert_eq!(gater.protect(PeerId::random(), true), Ok(()));
}

#[test]
fn protecting_a_peer_ends_its_ban() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    join(&mut gater, 0, peer_id, NOW).unwrap();
    gater.review_peers(NOW, |_| value(-200.0));
    gater.protect(peer_id, true).unwrap();
    assert!(gater.block_list().bans.is_empty());
    assert_eq!(gater.review_peers(NOW, |_| value(-200.0)), vec![]);
}

#[test]
fn an_address_is_refused_on_accept_on_dial_and_when_a_name_resolves_to_it() {
    let (mut gater, peer_id) = (gater(), PeerId::random());
    gater.block_list_mut().block_subnet("10.0.0.0/30".parse().unwrap()).unwrap();
    assert!(matches!(gater.accept(id(0), &addr(1)), Err(ConnectionRefusal::SubnetBlocked { .. })));
    assert!(matches!(
        gater.dial(id(1), Some(peer_id), &[addr(2)], NOW),
        Err(ConnectionRefusal::SubnetBlocked { .. })
    ));
    let name: Multiaddr = "/dns4/example.org/tcp/9222".parse().unwrap();
    gater.dial(id(2), Some(peer_id), &[name], NOW).unwrap();
    assert!(matches!(
        gater.establish(id(2), peer_id, (&addr(3), Endpoint::Dialer), NOW),
        Err(ConnectionRefusal::SubnetBlocked { .. })
    ));
    assert!(gater.dial(id(3), Some(peer_id), &[addr(4)], NOW).is_ok());
}

#[test]
fn blocking_disconnects_open_connections_even_of_static_peers() {
    let fixed = PeerId::random();
    let mut gater = ConnectionGater::new(limits(), BlockList::default(), BTreeSet::from([fixed]));
    join(&mut gater, 7, fixed, NOW).unwrap();
    let other = PeerId::random();
    join(&mut gater, 8, other, NOW).unwrap();
    gater.block_list_mut().block_peer(other).unwrap();
    assert_eq!(gater.review_peers(NOW, |_| value(0.0)), vec![other]);
    gater.block_list_mut().block_addr("10.0.0.7".parse().unwrap()).unwrap();
    assert!(gater.review_peers(NOW, |_| value(0.0)).contains(&fixed));
}

#[test]
fn a_second_connection_of_a_peer_is_refused_and_closes_the_first() {
    let fixed = PeerId::random();
    let mut gater = ConnectionGater::new(limits(), BlockList::default(), BTreeSet::from([fixed]));
    for (number, peer_id) in [(0, PeerId::random()), (10, fixed)] {
        join(&mut gater, number, peer_id, NOW).unwrap();
        let dialled = enter(&mut gater, number + 1, peer_id, (&addr(1), Endpoint::Dialer), NOW);
        assert_eq!(dialled, Ok(()), "two may dial each other at once");
        let refused = join(&mut gater, number + 2, peer_id, NOW);
        assert_eq!(refused, Err(ConnectionRefusal::Reconnecting { peer_id }));
        assert_eq!((gater.take_stale(), gater.take_stale()), (Some((peer_id, id(number))), None));
        gater.closed(id(number), peer_id);
        assert_eq!(join(&mut gater, number + 3, peer_id, NOW), Ok(()));
    }
}

#[test]
fn handshakes_are_limited_and_an_ended_one_makes_room() {
    let mut gater = gater();
    (0..3).for_each(|number| gater.accept(id(number), &addr(1)).unwrap());
    assert_eq!(
        gater.accept(id(3), &addr(1)),
        Err(ConnectionRefusal::TooManyPending { pending: 3, limit: 3 })
    );
    gater.handshake_ended(id(0));
    assert_eq!(gater.accept(id(3), &addr(1)), Ok(()));
}

#[test]
fn one_host_cannot_take_every_handshake() {
    let limits = GaterLimits { max_pending: 10, max_pending_per_host: 2, ..limits() };
    let mut gater = ConnectionGater::new(limits, BlockList::default(), BTreeSet::new());
    let of = |text: &str| text.parse::<Multiaddr>().unwrap();
    let hosts =
        ["/ip4/10.0.0.1/tcp/1", "/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::2/tcp/1", "/ip4/10.0.0.1/tcp/2"];
    for (number, addr) in hosts.iter().enumerate() {
        gater.accept(id(number), &of(addr)).unwrap();
    }
    let refused = |addr: &str| {
        Err(ConnectionRefusal::TooManyPendingOfHost { addr: addr.parse().unwrap(), pending: 2, limit: 2 })
    };
    assert_eq!(gater.accept(id(4), &of("/ip4/10.0.0.1/tcp/3")), refused("10.0.0.1"));
    assert_eq!(gater.accept(id(5), &of("/ip6/2001:db8::ffff/tcp/3")), refused("2001:db8::"));
    assert_eq!(gater.accept(id(6), &of("/ip6/2001:db8:0:1::1/tcp/3")), Ok(()));
    for number in 7..10 {
        assert_eq!(gater.accept(id(number), &of("/ip4/127.0.0.1/tcp/3")), Ok(()), "this machine");
    }
    gater.handshake_ended(id(0));
    assert_eq!(gater.accept(id(4), &of("/ip4/10.0.0.1/tcp/3")), Ok(()));
}

#[test]
fn some_connections_are_reserved_for_dialled_peers() {
    let limits = GaterLimits { max_inbound: 4, ..limits() };
    let mut gater = ConnectionGater::new(limits, BlockList::default(), BTreeSet::new());
    (0..4).for_each(|number| join(&mut gater, number, PeerId::random(), NOW).unwrap());
    let refused = join(&mut gater, 4, PeerId::random(), NOW);
    assert_eq!(refused, Err(ConnectionRefusal::TooManyInbound { connections: 4, limit: 4 }));
    let dialled = |gater: &mut ConnectionGater, number| {
        enter(gater, number, PeerId::random(), (&addr(1), Endpoint::Dialer), NOW)
    };
    assert_eq!((dialled(&mut gater, 5), dialled(&mut gater, 6)), (Ok(()), Ok(())));
    assert_eq!(
        dialled(&mut gater, 7),
        Err(ConnectionRefusal::TooManyConnections { connections: 6, limit: 6 })
    );
}

/// Otherwise a peer that reconnects every few seconds would get all the others disconnected.
#[test]
fn new_peers_do_not_displace_connected_ones() {
    let mut gater = gater();
    let peers: Vec<_> = (0..3).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    (3..6).for_each(|number| join(&mut gater, number, PeerId::random(), later(60)).unwrap());
    assert_eq!(gater.review_peers(later(60), |_| value(0.0)), vec![]);
}

#[test]
fn a_peer_without_subscriptions_is_pruned_first() {
    let mut gater = gater();
    let peers: Vec<_> = (0..5).map(|_| PeerId::random()).collect();
    for (number, peer_id) in peers.iter().enumerate() {
        join(&mut gater, number, *peer_id, NOW).unwrap();
    }
    let value = |peer_id: &PeerId| {
        let is_idle = peers[..3].contains(peer_id);
        PeerValue { score: if is_idle { 0.0 } else { -5.0 }, is_subscribed: !is_idle }
    };
    let leaving: BTreeSet<_> = gater.review_peers(later(30), value).into_iter().collect();
    assert_eq!(leaving, peers[..3].iter().copied().collect());
}

#[test]
fn peers_without_subscriptions_do_not_end_the_search() {
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
    Review { bad: usize },
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
        3 => peer().prop_map(|bad| Step::Review { bad }),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// Limits are kept, exempt peers stay, a refused peer was blocked or a limit was reached, and after a
    /// review no blocked peer is connected, nor more than the high limit past their grace.
    #[test]
    fn the_rules_hold_in_every_sequence_of_events(steps in steps()) {
        let peers: Vec<_> = (0..12).map(|_| PeerId::random()).collect();
        let exempt = BTreeSet::from([peers[0]]);
        let mut gater = ConnectionGater::new(limits(), BlockList::default(), exempt);
        let (mut now, mut next) = (NOW, 0_usize);
        for step in steps {
            match step {
                Step::Join { peer } => {
                    next += 1;
                    let joined = join(&mut gater, next, peers[peer], now);
                    let is_blocked = matches!(joined, Err(ConnectionRefusal::TooManyConnections { .. } | ConnectionRefusal::PeerBanned { .. }));
                    prop_assert!(peer != 0 || !is_blocked);
                }
                Step::Leave { peer } => {
                    let held = gater.peers.get(&peers[peer]);
                    let connection = held.and_then(|peer| peer.connections.keys().next().copied());
                    connection.into_iter().for_each(|connection| gater.closed(connection, peers[peer]));
                }
                Step::Block { peer } => gater.block_list_mut().block_peer(peers[peer]).unwrap(),
                Step::Unblock { peer } => { gater.block_list_mut().peers.remove(&peers[peer]); }
                Step::BlockAddr { last } => {
                    gater.block_list_mut().block_addr(IpAddr::from([10, 0, 0, last])).unwrap();
                }
                Step::Wait { seconds } => now = UnixSeconds(now.0 + seconds),
                Step::Review { bad } => {
                    let score = |peer_id: &PeerId| value(if *peer_id == peers[bad] { -101.0 } else { 0.0 });
                    for peer_id in gater.review_peers(now, score) {
                        let connections: Vec<_> = gater.peers[&peer_id].connections.keys().copied().collect();
                        connections.into_iter().for_each(|connection| gater.closed(connection, peer_id));
                    }
                    prop_assert!(bad == 0 || !gater.peers.contains_key(&peers[bad]));
                    prop_assert!(!gater.block_list().bans.contains_key(&peers[0]));
                    prop_assert!(gater.block_list().bans.values().all(|until| *until > now && until.0 <= now.0 + 3_600));
                    prop_assert!(gater.peers.iter().all(|(peer_id, peer)| !gater.is_unwanted(*peer_id, peer, now)));
                    let past_grace = gater.peers.values().filter(|peer| now.0 - peer.since.0 >= 30).count();
                    prop_assert!(past_grace <= 4);
                }
            }
            prop_assert!(gater.connections(|_| true) <= 6);
            prop_assert!(gater.stale.iter().all(|(peer_id, id)| gater.peers[peer_id].connections.contains_key(id)));
            prop_assert!(gater.peers.values().all(|peer| peer.connections.len() <= 2));
            prop_assert!(gater.peers.values().all(|peer| !peer.connections.is_empty()));
        }
    }
}
