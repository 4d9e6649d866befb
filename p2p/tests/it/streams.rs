//! The streams of one connection are bounded.

use crate::support::{Node, until};
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
    time::Duration,
};

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

/// Opens streams, begins to say something on each, and never goes on. Ready once the connection has been cut off.
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
    tokio::time::timeout(Duration::from_secs(5), cut_off).await.unwrap();
    until("parting", async || node.handle.peers().await.unwrap().is_empty()).await;
}
