//! Static peers by name: `/dnsaddr` is looked up at each dial.

use crate::support::{HeldPort, Node, in_time};
use crosscheck_p2p::{Multiaddr, NodeIdentity, PeerId};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::{net::UdpSocket, sync::watch, task::JoinSet};

const NAME: &str = "peers.example.org";

/// A name server that knows the TXT records of `_dnsaddr.peers.example.org`, and nothing else.
struct NameServer {
    addr: SocketAddr,
    records: watch::Sender<Vec<String>>,
    /// How often it was asked.
    asked: watch::Receiver<u64>,
    _task: JoinSet<()>,
}

impl NameServer {
    async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = socket.local_addr().unwrap();
        let (records, known) = watch::channel(Vec::new());
        let (counter, asked) = watch::channel(0);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut query = [0; 1024];
            loop {
                let (length, from) = socket.recv_from(&mut query).await.unwrap();
                let answer = answer(&query[..length], &known.borrow());
                socket.send_to(&answer, from).await.unwrap();
                counter.send_modify(|count| *count += 1);
            }
        });
        Self { addr, records, asked, _task: task }
    }

    /// From now on the peer is at this address, beside others that lead nowhere.
    fn points_to(&self, addr: &Multiaddr, peer: PeerId) {
        let stranger = PeerId::random();
        self.records.send_replace(vec![
            "v=spf1 -all".to_owned(),
            format!("dnsaddr={addr}/p2p/{stranger}"),
            format!("dnsaddr=/ip4/127.0.0.1/udp/9/quic-v1/p2p/{peer}"),
            format!("dnsaddr={addr}/p2p/{peer}"),
        ]);
    }

    /// Waits until it has been asked once more.
    async fn is_asked(&self) {
        let mut asked = self.asked.clone();
        let before = *asked.borrow_and_update();
        in_time("a look-up", asked.wait_for(|count| *count > before)).await.unwrap();
    }
}

/// The answer to a query: these TXT records, which nobody may remember, or that there is no such name.
fn answer(query: &[u8], records: &[String]) -> Vec<u8> {
    let labels = format!("_dnsaddr.{NAME}");
    let name: Vec<u8> =
        labels.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    let question = &query[12..12 + name.len() + 1 + 4];
    let is_known =
        question.to_ascii_lowercase().starts_with(&name) && question[name.len()..] == [0, 0, 16, 0, 1];
    let records = if is_known { records } else { &[] };
    let mut answer = query[..2].to_vec();
    answer.extend([
        0x81,
        if records.is_empty() { 0x83 } else { 0x80 },
        0,
        1,
        0,
        records.len() as u8,
        0,
        0,
        0,
        0,
    ]);
    answer.extend(question);
    for record in records {
        let text = [&[record.len() as u8], record.as_bytes()].concat();
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, text.len() as u8]);
        answer.extend(text);
    }
    answer
}

/// As an operator gives a bootstrap name: the peer's address is not known before it is looked up, and may
/// change.
#[tokio::test(flavor = "multi_thread")]
async fn a_static_peer_by_dnsaddr_is_dialled_and_found_again_elsewhere() {
    let names = NameServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let identity = || NodeIdentity::load_or_create(&dir.path().join("node.key")).unwrap();
    let peer = identity().peer_id();
    let by_name: Multiaddr = format!("/dnsaddr/{NAME}/p2p/{peer}").parse().unwrap();
    let a = Node::start_with(&[], NodeIdentity::generate(), |config| {
        config.static_peers = vec![by_name];
        config.name_servers = vec![names.addr];
    })
    .await;
    // The name is not there yet: it is asked for again and again.
    names.is_asked().await;
    names.is_asked().await;

    let (first, second) = (HeldPort::draw(), HeldPort::draw());
    let b = Node::start_with(&[], identity(), |config| config.listen = vec![first.addr()]).await;
    names.points_to(&first.addr(), peer);
    a.meshed_with(&b).await;
    b.stop().await;

    let b = Node::start_with(&[], identity(), |config| config.listen = vec![second.addr()]).await;
    names.points_to(&second.addr(), peer);
    a.meshed_with(&b).await;
    b.meshed_with(&a).await;
}
