//! Connections as peers should not use them: streams without end, and one that its peer forgot.

use crate::support::{Node, frame, in_time, sequencer, until};
use crosscheck_p2p::{NodeIdentity, Topic};
use futures::AsyncWrite as _;
use libp2p::{
    Multiaddr, Transport as _,
    core::{
        Endpoint, StreamMuxer as _,
        muxing::StreamMuxerBox,
        transport::{DialOpts, PortUse},
        upgrade::Version,
    },
    identity::Keypair,
    noise, tcp, yamux,
};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// More than are let be, fewer than libp2p itself would begin to drop.
const STREAMS: usize = 100;

async fn connection(addr: Multiaddr) -> StreamMuxerBox {
    let key = Keypair::generate_secp256k1();
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&key).unwrap())
        .multiplex(yamux::Config::default())
        .boxed();
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    transport.dial(addr, options).unwrap().await.unwrap().1
}

/// Opens streams, begins to say something on each, and never continues. Ready once the connection has been
/// cut off.
fn poll_until_cut_off(
    muxer: &mut StreamMuxerBox,
    streams: &mut Vec<libp2p::core::muxing::SubstreamBox>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    while streams.len() < STREAMS {
        match Pin::new(&mut *muxer).poll_outbound(cx) {
            Poll::Ready(Ok(mut stream)) => {
                let _begun = Pin::new(&mut stream).poll_write(cx, &[19]);
                streams.push(stream);
            }
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => break,
        }
    }
    match Pin::new(muxer).poll(cx) {
        Poll::Ready(Err(_)) => Poll::Ready(()),
        Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_opens_streams_without_end_is_cut_off() {
    let node = Node::start(&[]).await;
    let mut muxer = connection(node.addrs().await.remove(0)).await;
    until("a connection", async || node.handle.peers().await.unwrap().len() == 1).await;
    let mut streams = Vec::new();
    let cut_off = std::future::poll_fn(|cx| poll_until_cut_off(&mut muxer, &mut streams, cx));
    in_time("the cut", cut_off).await;
    until("parting", async || node.handle.peers().await.unwrap().is_empty()).await;
}

/// A way to an address that can be cut without either end being told. Gives where it begins.
async fn wire(to: Multiaddr, cut: CancellationToken, tasks: &mut JoinSet<()>) -> Multiaddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port());
    let (id, port) = (to.iter().last().unwrap(), to.iter().nth(1).unwrap());
    let libp2p::multiaddr::Protocol::Tcp(port) = port else { panic!("{to}") };
    tasks.spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
            () = cut.cancelled() => std::future::pending().await,
        }
    });
    from.parse::<Multiaddr>().unwrap().with(id)
}

/// A machine that lost its power says no goodbye: its peers hold on to a connection on which nothing is said
/// any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_restarts_without_closing_its_connection_is_received_again() {
    let dir = tempfile::tempdir().unwrap();
    let identity = || NodeIdentity::load_or_create(&dir.path().join("node.key")).unwrap();
    let (mut node, cut, mut tasks) = (Node::start(&[]).await, CancellationToken::new(), JoinSet::new());
    let way = wire(node.addrs().await.remove(0), cut.clone(), &mut tasks).await;
    let before = Node::start_with(&[], identity(), |config| config.static_peers = vec![way]).await;
    before.meshed_with(&node).await;
    node.meshed_with(&before).await;
    cut.cancel();
    before.stop().await;
    assert_eq!(node.handle.peers().await.unwrap().len(), 1, "its going is not noticed");
    let again = Node::start_with(&[&node], identity(), |_| ()).await;
    again.meshed_with(&node).await;
    node.meshed_with(&again).await;
    again.handle.publish(Topic::BlocksV4, frame(3, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(node.next_block().await.number(), 3);
}
