//! Node records as discovery gets them from anybody: bytes as they come, records that a node really signed
//! with whatever it likes in them, and the `opstack` entry alone.
//!
//! The first byte says which. What is read is checked against a reading of its own, and the memory against a
//! bound.

#![no_main]

use alloy_primitives::keccak256;
use alloy_rlp::{Encodable as _, Header};
use arbitrary::{Arbitrary, Unstructured};
use crosscheck_p2p::{
    Bootnode, Multiaddr,
    fuzzing::{ReadRecord, read_entry, read_record, write_entry},
};
use libfuzzer_sys::fuzz_target;
use secp256k1::{Message, PublicKey, SECP256K1};
use setting::{key, memory_of};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const OURS: u64 = 901;
/// A record may take 300 bytes; what holds it, its key and its text takes a few times that.
const MAX_RECORD_BYTES: usize = 300;
const MAX_MEMORY: u64 = 32 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 4 {
        0 => drop(read(rest)),
        1 => entry(rest),
        2 => text(rest),
        _ => signed(rest),
    }
});

/// Whatever the bytes are, reading them costs little; and what is a record is written as it was read.
fn read(rlp: &[u8]) -> Option<ReadRecord> {
    let (memory, read) = memory_of(|| read_record(rlp, OURS));
    assert!(memory < MAX_MEMORY, "{memory} bytes for {} of input", rlp.len());
    let read = read?;
    assert!(read.taken <= MAX_RECORD_BYTES && read.rlp == rlp[..read.taken]);
    assert_eq!(read_record(&read.rlp, OURS).as_ref(), Some(&read));
    for node in read.nodes.iter().flatten() {
        assert_eq!(node.chain_id, OURS);
        let text = node.record.strip_prefix("enr:").expect("a record's text");
        assert!(text.len() <= MAX_RECORD_BYTES.div_ceil(3) * 4);
        let mut parts = node.addr.iter().map(|part| part.to_string());
        assert!(parts.next().is_some_and(|ip| ip.starts_with("/ip4/") || ip.starts_with("/ip6/")));
        assert!(parts.next().is_some_and(|tcp| tcp.starts_with("/tcp/") && tcp != "/tcp/0"));
        assert_eq!(parts.next(), None);
    }
    Some(read)
}

/// An entry that is read says what it says: a byte string that begins with the chain and version 0, no
/// shorter way to write them existing.
fn entry(rlp: &[u8]) {
    let (memory, read) = memory_of(|| read_entry(rlp));
    assert!(memory < MAX_MEMORY + rlp.len() as u64, "{memory} bytes for {} of input", rlp.len());
    assert_eq!(read, string_of(rlp).and_then(|content| chain_in(&content)));
    if let Some(chain_id) = read {
        assert_eq!(read_entry(&write_entry(chain_id)), Some(chain_id));
    }
}

/// A bootnode's text is kept, or refused with a short message.
fn text(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match text.parse::<Bootnode>() {
        Ok(bootnode) => assert_eq!(bootnode.to_string(), text),
        Err(error) => assert!(error.text.chars().count() <= 512 && error.reason.len() <= 512),
    }
}

/// What a node puts in its record. Others are made up of these too; only the signature is always right.
#[derive(Arbitrary, Debug)]
struct Plan {
    seq: u64,
    ip: Option<[u8; 4]>,
    tcp: Option<u16>,
    ip6: Option<[u8; 16]>,
    tcp6: Option<u16>,
    cross_safe: Option<u8>,
    /// Our chain's entry, or these bytes as one.
    has_our_entry: bool,
    /// The value of the entry, as RLP or as the content of a byte string.
    entry: Option<Vec<u8>>,
    entry_is_rlp: bool,
    others: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is read of a signed record is what was put in.
fn signed(bytes: &[u8]) {
    let Ok(plan) = Plan::arbitrary(&mut Unstructured::new(bytes)) else { return };
    let rlp = plan.rlp();
    let Some(read) = read(&rlp) else { return };
    assert_eq!(read.taken, rlp.len());
    let content = plan.entry_value().and_then(|value| string_of(&value));
    let is_ours = content.and_then(|content| chain_in(&content)) == Some(OURS);
    for (reach, node) in read.nodes.iter().enumerate() {
        let expected = plan.addr(reach).filter(|_| is_ours);
        assert_eq!(node.as_ref().map(|node| node.addr.clone()), expected, "{reach} {plan:?}");
        if let Some(node) = node {
            assert_eq!(node.is_cross_safe, plan.cross_safe == Some(1));
            let key = PublicKey::from_secret_key(SECP256K1, &key()).serialize();
            assert!(node.peer_id.to_bytes().ends_with(&key), "the key's own id");
        }
    }
}

impl Plan {
    fn entry_value(&self) -> Option<Vec<u8>> {
        match &self.entry {
            _ if self.has_our_entry => Some(write_entry(OURS)),
            Some(rlp) if self.entry_is_rlp => Some(rlp.clone()),
            Some(content) => Some(string(content)),
            None => None,
        }
    }

    /// The address to dial: the first that can be reached, IPv4 before IPv6, whose port is that of IPv4
    /// unless it has its own.
    fn addr(&self, reach: usize) -> Option<Multiaddr> {
        let ip4 = self.ip.map(|ip| IpAddr::from(Ipv4Addr::from(ip))).zip(self.tcp);
        let ip6 = self.ip6.map(|ip| Ipv6Addr::from(ip).to_canonical()).zip(self.tcp6.or(self.tcp));
        let mut both = [ip4, ip6].into_iter().flatten();
        let (ip, port) = both.find(|(ip, port)| *port != 0 && kind(*ip).is_some_and(|kind| reach <= kind))?;
        let version = if ip.is_ipv4() { "ip4" } else { "ip6" };
        Some(format!("/{version}/{ip}/tcp/{port}").parse().expect("an address"))
    }

    /// The record. Keys that have a meaning are not written twice.
    fn rlp(&self) -> Vec<u8> {
        let mut pairs = BTreeMap::new();
        for (key, value) in &self.others {
            pairs.insert(key.clone(), if key.len() % 2 == 0 { string(value) } else { list(value) });
        }
        for known in [&b"ip"[..], b"tcp", b"ip6", b"tcp6", b"crosssafe", b"opstack"] {
            pairs.remove(known);
        }
        let key = PublicKey::from_secret_key(SECP256K1, &key()).serialize();
        let own = [
            ("id", Some(string(b"v4"))),
            ("secp256k1", Some(string(&key))),
            ("ip", self.ip.map(|ip| string(&ip))),
            ("ip6", self.ip6.map(|ip| string(&ip))),
            ("tcp", self.tcp.map(alloy_rlp::encode)),
            ("tcp6", self.tcp6.map(alloy_rlp::encode)),
            ("crosssafe", self.cross_safe.map(alloy_rlp::encode)),
            ("opstack", self.entry_value()),
        ];
        pairs.extend(own.into_iter().filter_map(|(key, value)| Some((key.as_bytes().to_vec(), value?))));
        let mut content = alloy_rlp::encode(self.seq);
        for (key, value) in &pairs {
            content.extend_from_slice(&string(key));
            content.extend_from_slice(value);
        }
        let digest = Message::from_digest(keccak256(list(&content)).0);
        let signature = SECP256K1.sign_ecdsa(digest, &setting::key()).serialize_compact();
        list(&[string(&signature), content].concat())
    }
}

/// How far an address reaches: 0 on this machine or its wire, 1 in a private network, 2 everywhere. `None`:
/// it names no one node.
fn kind(ip: IpAddr) -> Option<usize> {
    let kind = match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [0, 0, 0, 0] | [224..=239, ..] | [255, 255, 255, 255] => return None,
            [127, ..] | [169, 254, ..] => 0,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => 1,
            _ => 2,
        },
        IpAddr::V6(ip) => match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => return None,
            [0, 0, 0, 0, 0, 0, 0, 1] | [0xfe80..=0xfebf, ..] => 0,
            [0xfc00..=0xfdff, ..] => 1,
            _ => 2,
        },
    };
    Some(kind)
}

fn string(content: &[u8]) -> Vec<u8> {
    let mut rlp = Vec::new();
    content.encode(&mut rlp);
    rlp
}

fn list(content: &[u8]) -> Vec<u8> {
    let mut rlp = Vec::new();
    Header { list: true, payload_length: content.len() }.encode(&mut rlp);
    rlp.extend_from_slice(content);
    rlp
}

/// The content of the byte string that leads, written in the one way there is.
fn string_of(rlp: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = rlp.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => return Some(vec![*first]),
        0x80..=0xb7 => (usize::from(first - 0x80), rest),
        0xb8..=0xbf => {
            let (size, rest) = rest.split_at_checked(usize::from(first - 0xb7))?;
            let add = |all: usize, byte: &u8| all.checked_mul(256)?.checked_add(usize::from(*byte));
            (size.iter().try_fold(0, add)?, rest)
        }
        0xc0.. => return None,
    };
    let content = rest.get(..length)?;
    rlp.starts_with(&string(content)).then(|| content.to_vec())
}

/// The chain that an entry's content begins with.
fn chain_in(content: &[u8]) -> Option<u64> {
    let mut chain_id = 0_u128;
    for (place, byte) in content.iter().enumerate().take(10) {
        chain_id |= u128::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let is_shortest = place == 0 || *byte != 0;
            let version_0 = content.get(place + 1) == Some(&0);
            return u64::try_from(chain_id).ok().filter(|_| is_shortest && version_0);
        }
    }
    None
}
