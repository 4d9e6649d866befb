//! [`PeerFile`]: known peers, the block list and how often our record changed, on disk, so that a restart
//! does not begin from nothing.
//!
//! JSON, written whole to a neighbour and moved into place. A file that cannot be read as one is set aside
//! under another name: without it the node still works. Never has a secret.

use super::KnownPeer;
use crate::{UnixSeconds, network::BlockList};
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// More than the largest file that is written.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;
/// Peers and bans that are read back: more than are written.
const MAX_ENTRIES: usize = 20_000;

/// Why the file could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerFileError {
    /// It could not be read or written.
    #[error("cannot {action} the peer file {}: {detail}; check the permissions of its directory", path.display())]
    Io {
        /// `read`, `write` or `set aside`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        detail: String,
    },
}

/// The file.
#[derive(Clone, Debug)]
pub(in crate::network) struct PeerFile {
    path: PathBuf,
    /// The configured block list. It is not written to the file: what is no longer configured is no longer
    /// blocked.
    configured: BlockList,
}

/// What was known when the file was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::network) struct StoredPeers {
    /// Peers.
    pub(in crate::network) peers: BTreeMap<PeerId, KnownPeer>,
    /// The block list.
    pub(in crate::network) block_list: BlockList,
    /// The sequence number of our own node record. Zero: it never had one.
    pub(in crate::network) record_seq: u64,
}

/// The file as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PeerFileJson {
    peers: Vec<PeerEntry>,
    blocked_peers: Vec<String>,
    blocked_addrs: Vec<IpAddr>,
    blocked_subnets: Vec<String>,
    bans: BTreeMap<String, u64>,
    record_seq: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PeerEntry {
    id: String,
    addrs: Vec<Multiaddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<u64>,
    is_cross_safe: bool,
    last_seen: u64,
}

impl PeerFile {
    /// The file at a path, which need not exist, of a node with this configured block list.
    pub(in crate::network) const fn new(path: PathBuf, configured: BlockList) -> Self {
        Self { path, configured }
    }

    /// What was stored. Nothing, if there is no file or it cannot be parsed.
    ///
    /// # Errors
    /// [`PeerFileError`]: it is there and cannot be read, or cannot be set aside.
    pub(in crate::network) fn load(&self) -> Result<StoredPeers, PeerFileError> {
        let mut text = String::new();
        let read =
            fs::File::open(&self.path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(StoredPeers::default()),
            // Not UTF-8: no file of ours.
            Err(source) if source.kind() == io::ErrorKind::InvalidData => text.clear(),
            Err(source) => return Err(self.error("read", source)),
        }
        match serde_json::from_str::<PeerFileJson>(&text) {
            Ok(contents) => Ok(contents.into_stored_peers()),
            Err(error) => {
                let aside = self.neighbour("unreadable");
                tracing::warn!(path = %self.path.display(), aside = %aside.display(), %error, "peer file is not readable; set aside");
                fs::rename(&self.path, &aside).map_err(|source| self.error("set aside", source))?;
                Ok(StoredPeers::default())
            }
        }
    }

    /// Writes what is known, all or nothing.
    ///
    /// # Errors
    /// [`PeerFileError`].
    pub(in crate::network) fn store(&self, contents: &str) -> Result<(), PeerFileError> {
        let new = self.neighbour("new");
        let written = fs::write(&new, contents).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|source| self.error("write", source))
    }

    /// What [`Self::store`] writes.
    pub(in crate::network) fn render(
        &self,
        known: &BTreeMap<PeerId, KnownPeer>,
        block_list: &BlockList,
        record_seq: u64,
    ) -> String {
        let entry = |(peer_id, peer): (&PeerId, &KnownPeer)| PeerEntry {
            id: peer_id.to_string(),
            addrs: peer.addrs.clone(),
            agent: peer.agent.clone(),
            enr: peer.enr.clone(),
            chain_id: peer.chain_id,
            is_cross_safe: peer.is_cross_safe,
            last_seen: peer.last_seen.0,
        };
        let ours = &self.configured;
        let contents = PeerFileJson {
            peers: known.iter().filter(|(_, peer)| !peer.addrs.is_empty()).map(entry).collect(),
            blocked_peers: block_list.peers.difference(&ours.peers).map(ToString::to_string).collect(),
            blocked_addrs: block_list.addrs.difference(&ours.addrs).copied().collect(),
            blocked_subnets: block_list.subnets.difference(&ours.subnets).map(ToString::to_string).collect(),
            bans: block_list.bans.iter().map(|(peer_id, until)| (peer_id.to_string(), until.0)).collect(),
            record_seq,
        };
        serde_json::to_string_pretty(&contents).unwrap_or_default()
    }

    fn neighbour(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{suffix}"));
        Path::new(&name).to_owned()
    }

    #[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
    fn error(&self, action: &'static str, error: io::Error) -> PeerFileError {
        PeerFileError::Io { action, path: self.path.clone(), detail: error.to_string() }
    }
}

impl PeerFileJson {
    /// Invalid entries are left out: the others are of use without them.
    fn into_stored_peers(self) -> StoredPeers {
        let id = |text: &String| text.parse::<PeerId>().ok();
        let peers = self.peers.into_iter().take(MAX_ENTRIES).filter_map(|entry| {
            let known = KnownPeer {
                addrs: entry.addrs.into_iter().take(8).collect(),
                agent: entry.agent.as_deref().map(super::truncate_text),
                enr: entry.enr,
                chain_id: entry.chain_id,
                is_cross_safe: entry.is_cross_safe,
                last_seen: UnixSeconds(entry.last_seen),
                ..KnownPeer::default()
            };
            Some((id(&entry.id)?, known))
        });
        let mut block_list = BlockList {
            bans: self
                .bans
                .iter()
                .take(MAX_ENTRIES)
                .filter_map(|(text, until)| Some((id(text)?, UnixSeconds(*until))))
                .collect(),
            ..BlockList::default()
        };
        // Entries beyond the bounds of the list are skipped.
        for peer_id in self.blocked_peers.iter().filter_map(id) {
            let _full = block_list.block_peer(peer_id);
        }
        for addr in self.blocked_addrs {
            let _full = block_list.block_addr(addr);
        }
        for subnet in self.blocked_subnets.iter().filter_map(|text| text.parse().ok()) {
            let _full = block_list.block_subnet(subnet);
        }
        StoredPeers { peers: peers.collect(), block_list, record_seq: self.record_seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_peers_are_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let file = PeerFile::new(dir.path().join("peers.json"), BlockList::default());
        let peers = BTreeMap::from([(
            PeerId::random(),
            KnownPeer {
                addrs: vec!["/ip4/10.0.0.1/tcp/9222".parse().unwrap()],
                agent: Some("op".into()),
                enr: Some("enr:-x".into()),
                chain_id: Some(901),
                is_cross_safe: true,
                last_seen: UnixSeconds(7),
                ..KnownPeer::default()
            },
        )]);
        let mut block_list = BlockList::default();
        block_list.block_peer(PeerId::random()).unwrap();
        block_list.block_addr("10.0.0.2".parse().unwrap()).unwrap();
        block_list.block_subnet("10.1.0.0/16".parse().unwrap()).unwrap();
        block_list.ban(PeerId::random(), UnixSeconds(99));
        file.store(&file.render(&peers, &block_list, 7)).unwrap();
        assert_eq!(file.load().unwrap(), StoredPeers { peers, block_list, record_seq: 7 });
    }

    #[test]
    fn configured_blocks_are_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let mut configured = BlockList::default();
        configured.block_subnet("10.1.0.0/16".parse().unwrap()).unwrap();
        let mut block_list = configured.clone();
        block_list.block_subnet("10.2.0.0/16".parse().unwrap()).unwrap();
        let file = PeerFile::new(dir.path().join("peers.json"), configured);
        file.store(&file.render(&BTreeMap::new(), &block_list, 0)).unwrap();
        let subnets = file.load().unwrap().block_list.subnets;
        assert_eq!(subnets, ["10.2.0.0/16".parse().unwrap()].into());
    }

    #[test]
    fn without_a_file_no_peer_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let file = PeerFile::new(dir.path().join("peers.json"), BlockList::default());
        assert_eq!(file.load().unwrap(), StoredPeers::default());
    }

    #[rstest::rstest]
    #[case::cut(b"{\"peers\": [")]
    #[case::not_text(b"\xff\xfe")]
    #[case::another_shape(b"[1, 2]")]
    fn an_unreadable_peer_file_is_set_aside(#[case] contents: &[u8]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.json");
        fs::write(&path, contents).unwrap();
        assert_eq!(PeerFile::new(path.clone(), BlockList::default()).load().unwrap(), StoredPeers::default());
        assert!(!path.exists());
        assert_eq!(fs::read(dir.path().join("peers.json.unreadable")).unwrap(), contents);
    }

    #[test]
    fn invalid_entries_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.json");
        fs::write(&path, r#"{"peers":[{"id":"nobody"}],"blocked_subnets":["x"],"bans":{"y":1}}"#).unwrap();
        assert_eq!(PeerFile::new(path, BlockList::default()).load().unwrap(), StoredPeers::default());
    }
}
