//! A peer that writes the bytes of its streams by hand: what no library would send.
//!
//! Its streams are requests to libp2p's request-response, each as long as its owner likes: what is sent is
//! written as it is. What the node writes on streams of its own is cut into gossip's RPCs and handed on.

use crate::support::{Node, in_time};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    PeerId, StreamProtocol, Swarm, SwarmBuilder, noise,
    request_response::{Behaviour, Codec, Config, Event, Message, ProtocolSupport},
    swarm::SwarmEvent,
    tcp, yamux,
};
use std::{io, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};

/// Gossip's protocol, as go-libp2p speaks it too.
pub(crate) const GOSSIP: &str = "/meshsub/1.1.0";
/// RPCs that may wait, either way.
const QUEUE: usize = 4;
const LONGEST: usize = 10 * 1024 * 1024;

/// What is written on one stream, until its sender is dropped.
type Script = mpsc::Receiver<Vec<u8>>;

/// Writes and reads as told.
#[derive(Clone)]
struct Wire {
    heard: mpsc::Sender<Vec<u8>>,
}

impl Codec for Wire {
    type Protocol = StreamProtocol;
    type Request = Script;
    /// What the node wrote on a stream of ours.
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Script>
    where
        T: AsyncRead + Unpin + Send,
    {
        loop {
            let size = read_size(io).await?;
            assert!(size <= LONGEST, "the node sends {size} bytes");
            let mut rpc = vec![0; size];
            io.read_exact(&mut rpc).await?;
            self.heard.send(rpc).await.map_err(io::Error::other)?;
        }
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, mut script: Script) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        while let Some(bytes) = script.recv().await {
            io.write_all(&bytes).await?;
            io.flush().await?;
        }
        Ok(())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut answer = Vec::new();
        io.take(LONGEST as u64).read_to_end(&mut answer).await?;
        Ok(answer)
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, _: &mut T, _: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Ok(())
    }
}

async fn read_size(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<usize> {
    let mut size = Vec::new();
    loop {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        size.extend_from_slice(&byte);
        if byte[0] < 0x80 {
            return Ok(unsigned_varint::decode::usize(&size).map_err(io::Error::other)?.0);
        }
    }
}

/// The peer; it goes when dropped.
pub(crate) struct RawPeer {
    pub(crate) id: PeerId,
    heard: mpsc::Receiver<Vec<u8>>,
    ended: mpsc::Receiver<Option<Vec<u8>>>,
    streams: mpsc::Sender<Script>,
    stream: mpsc::Sender<Vec<u8>>,
    _swarm: JoinSet<()>,
}

impl RawPeer {
    /// A peer that is connected to the node and has a stream of a protocol open.
    pub(crate) async fn of(node: &Node, protocol: String) -> Self {
        let addr = node.addrs().await.remove(0);
        let (heard, heard_receiver) = mpsc::channel(QUEUE);
        let mut swarm = swarm(StreamProtocol::try_from_owned(protocol).unwrap(), heard);
        swarm.dial(addr).unwrap();
        let (ended, ended_receiver) = mpsc::channel(QUEUE);
        let (streams, streams_receiver) = mpsc::channel(QUEUE);
        let (id, mut tasks) = (*swarm.local_peer_id(), JoinSet::new());
        tasks.spawn(run(swarm, node.handle.peer_id(), streams_receiver, ended));
        let (stream, _) = mpsc::channel(QUEUE);
        let mut peer =
            Self { id, heard: heard_receiver, ended: ended_receiver, streams, stream, _swarm: tasks };
        peer.open().await;
        peer
    }

    /// Opens another stream; what is sent from now on goes there. Gives the one before: it ends when dropped.
    pub(crate) async fn open(&mut self) -> mpsc::Sender<Vec<u8>> {
        let (stream, script) = mpsc::channel(QUEUE);
        in_time("room for a stream", self.streams.send(script)).await.unwrap();
        std::mem::replace(&mut self.stream, stream)
    }

    /// Sends an RPC, behind its length.
    pub(crate) async fn send(&self, rpc: &[u8]) {
        self.send_bytes([varint(rpc.len() as u64), rpc.to_vec()].concat()).await;
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&self, bytes: Vec<u8>) {
        in_time("room in the stream", self.stream.send(bytes)).await.expect("the stream is open");
    }

    /// Ends the stream, and waits until the node has read it to its end, or will not read on. What the node
    /// wrote on it, unless the node broke it off.
    pub(crate) async fn finish(&mut self) -> Option<Vec<u8>> {
        let (closed, _) = mpsc::channel(QUEUE);
        self.stream = closed;
        in_time("the end of the stream", self.ended.recv()).await.expect("the peer runs")
    }

    /// The next RPC in which something is found.
    pub(crate) async fn hear<T>(&mut self, what: &str, mut find: impl FnMut(&[u8]) -> Option<T>) -> T {
        in_time(what, async {
            loop {
                let rpc = self.heard.recv().await.expect("the peer runs");
                if let Some(found) = find(&rpc) {
                    return found;
                }
            }
        })
        .await
    }
}

fn swarm(protocol: StreamProtocol, heard: mpsc::Sender<Vec<u8>>) -> Swarm<Behaviour<Wire>> {
    let config = Config::default().with_request_timeout(Duration::from_secs(3_600));
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| {
            Behaviour::with_codec(Wire { heard }, [(protocol, ProtocolSupport::Full)], config)
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3_600)))
        .build()
}

async fn run(
    mut swarm: Swarm<Behaviour<Wire>>,
    node: PeerId,
    mut streams: mpsc::Receiver<Script>,
    ended: mpsc::Sender<Option<Vec<u8>>>,
) {
    loop {
        tokio::select! {
            event = swarm.select_next_some() => {
                let SwarmEvent::Behaviour(event) = event else { continue };
                let end = match event {
                    Event::Message { message: Message::Response { response, .. }, .. } => Some(response),
                    Event::OutboundFailure { .. } => None,
                    _ => continue,
                };
                ended.try_send(end).expect("each end is waited for");
            }
            script = streams.recv() => match script {
                Some(script) => drop(swarm.behaviour_mut().send_request(&node, script)),
                None => return,
            },
        }
    }
}

fn varint(value: u64) -> Vec<u8> {
    unsigned_varint::encode::u64(value, &mut unsigned_varint::encode::u64_buffer()).to_vec()
}

/// A field of bytes.
pub(crate) fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field with a number.
fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

/// An RPC that subscribes to a topic.
pub(crate) fn subscribe(topic: &str) -> Vec<u8> {
    field(1, &[number(1, 1), field(2, topic.as_bytes())].concat())
}

/// An RPC with these control messages.
pub(crate) fn control(messages: &[Vec<u8>]) -> Vec<u8> {
    field(3, &messages.concat())
}

pub(crate) fn ihave<'a>(topic: &str, ids: impl IntoIterator<Item = &'a [u8; 20]>) -> Vec<u8> {
    let ids = ids.into_iter().flat_map(|id| field(2, id));
    field(1, &field(1, topic.as_bytes()).into_iter().chain(ids).collect::<Vec<u8>>())
}

pub(crate) fn graft(topic: &str) -> Vec<u8> {
    field(3, &field(1, topic.as_bytes()))
}

pub(crate) fn prune(topic: &str, backoff: u64) -> Vec<u8> {
    field(4, &[field(1, topic.as_bytes()), number(3, backoff)].concat())
}

/// The contents of the fields of bytes with this tag.
pub(crate) fn fields(message: &[u8], tag: u64) -> Vec<&[u8]> {
    let (mut rest, mut found) = (message, Vec::new());
    while !rest.is_empty() {
        let (key, after) = unsigned_varint::decode::u64(rest).unwrap();
        let (value, after) = unsigned_varint::decode::u64(after).unwrap();
        rest = match key & 7 {
            0 => after,
            2 => {
                let (content, after) = after.split_at(usize::try_from(value).unwrap());
                if key >> 3 == tag {
                    found.push(content);
                }
                after
            }
            kind => panic!("gossip has no fields of kind {kind}"),
        };
    }
    found
}

/// The control messages of a kind in an RPC: 1 IHAVE, 2 IWANT, 3 GRAFT, 4 PRUNE.
pub(crate) fn controls(rpc: &[u8], kind: u64) -> Vec<&[u8]> {
    fields(rpc, 3).into_iter().flat_map(|control| fields(control, kind)).collect()
}
