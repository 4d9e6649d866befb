//! The `opp2p_*` answers, in op-node's JSON: names as Go writes them, enumerations as numbers, durations in
//! nanoseconds, subnets as an address and a mask in base64.

use super::Quantity;
use alloy::primitives::B256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::net::IpAddr;
use crosscheck_p2p::{Direction, PeerInfo, Subnet, Topic};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpPeerInfo {
    #[serde(rename = "peerID")]
    pub(super) peer_id: String,
    /// Hex without a prefix, as Go writes it.
    #[serde(rename = "nodeID")]
    pub(super) node_id: String,
    pub(super) user_agent: String,
    pub(super) protocol_version: String,
    /// Empty: not known.
    #[serde(rename = "ENR")]
    pub(super) enr: String,
    /// Each with its `/p2p/` id.
    pub(super) addresses: Vec<String>,
    pub(super) protocols: Vec<String>,
    /// 0: not connected, 1: connected.
    pub(super) connectedness: u8,
    /// 0: unknown, 1: inbound, 2: outbound.
    pub(super) direction: u8,
    pub(super) protected: bool,
    /// 0: not known.
    #[serde(rename = "chainID")]
    pub(super) chain_id: u64,
    /// Nanoseconds.
    pub(super) latency: u64,
    pub(super) gossip_blocks: bool,
    pub(super) scores: OpPeerScores,
}

/// A peer's scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpPeerScores {
    pub(super) gossip: OpGossipScores,
    pub(super) req_resp: OpReqRespScores,
}

/// What our own verdicts count, on blocks by number and on gossip; op-node counts the former only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpReqRespScores {
    /// Requests answered well, and blocks that it was the first to send.
    pub(super) valid_responses: f64,
    pub(super) error_responses: f64,
    /// False answers, and frames that were rejected.
    pub(super) rejected_payloads: f64,
}

/// Gossipsub's score. Its parts are not distinguished: they are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpGossipScores {
    pub(super) total: f64,
    pub(super) blocks: OpTopicScores,
    #[serde(rename = "IPColocationFactor")]
    pub(super) ip_colocation_factor: f64,
    pub(super) behavioral_penalty: f64,
}

/// The score of a topic: zero, as topics are not scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpTopicScores {
    pub(super) time_in_mesh: f64,
    pub(super) first_message_deliveries: f64,
    pub(super) mesh_message_deliveries: f64,
    pub(super) invalid_message_deliveries: f64,
}

/// Peers, and what is blocked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpPeerDump {
    pub(super) total_connected: usize,
    pub(super) peers: BTreeMap<String, OpPeerInfo>,
    /// Blocked by the operator, or banned for their score.
    pub(super) banned_peers: Vec<String>,
    #[serde(rename = "bannedIPS")]
    pub(super) banned_ips: Vec<IpAddr>,
    pub(super) banned_subnets: Vec<OpSubnet>,
}

/// Numbers of peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OpPeerStats {
    pub(super) connected: usize,
    /// Nodes in discovery's table.
    pub(super) table: usize,
    #[serde(rename = "blocksTopic")]
    pub(super) blocks_topic: usize,
    #[serde(rename = "blocksTopicV2")]
    pub(super) blocks_topic_v2: usize,
    #[serde(rename = "blocksTopicV3")]
    pub(super) blocks_topic_v3: usize,
    #[serde(rename = "blocksTopicV4")]
    pub(super) blocks_topic_v4: usize,
    pub(super) banned: usize,
    pub(super) known: usize,
}

impl From<PeerInfo> for OpPeerInfo {
    fn from(peer: PeerInfo) -> Self {
        let id = peer.peer_id;
        let connectedness = u8::from(peer.is_connected());
        // A peer that came to us is listed where it came from, if nothing better is known.
        let known = peer.known;
        let addrs = if known.addrs.is_empty() { peer.addr.into_iter().collect() } else { known.addrs };
        Self {
            peer_id: id.to_string(),
            node_id: node_id_text(peer.node_id),
            user_agent: known.agent.unwrap_or_default(),
            protocol_version: known.protocol_version.unwrap_or_default(),
            enr: known.enr.unwrap_or_default(),
            addresses: addrs
                .into_iter()
                .map(|addr| addr.with_p2p(id).unwrap_or_else(|a| a).to_string())
                .collect(),
            protocols: known.protocols,
            connectedness,
            direction: match peer.direction {
                None => 0,
                Some(Direction::Inbound) => 1,
                Some(Direction::Outbound) => 2,
            },
            protected: peer.protected,
            chain_id: known.chain_id.unwrap_or_default(),
            latency: peer.latency.map_or(0, |latency| u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX)),
            gossip_blocks: peer.topics.iter().any(|topic: &Topic| !topic.is_cross_safe()),
            scores: OpPeerScores {
                gossip: OpGossipScores { total: peer.score, ..OpGossipScores::default() },
                req_resp: OpReqRespScores {
                    valid_responses: peer.score_inputs.useful,
                    error_responses: peer.score_inputs.failed_requests,
                    rejected_payloads: peer.score_inputs.wrong_responses + peer.score_inputs.invalid_frames,
                },
            },
        }
    }
}

/// A node id as Go writes it; of a peer without a secp256k1 key all zeros.
pub(super) fn node_id_text(node_id: Option<B256>) -> String {
    alloy::hex::encode(node_id.unwrap_or_default())
}

/// A subnet: read in Go's form and in CIDR notation, written in Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpSubnet(pub Subnet);

#[derive(Serialize, Deserialize)]
struct GoSubnet {
    #[serde(rename = "IP")]
    ip: IpAddr,
    #[serde(rename = "Mask")]
    mask: String,
}

impl Serialize for OpSubnet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mask = match self.0.netmask() {
            IpAddr::V4(mask) => STANDARD.encode(mask.octets()),
            IpAddr::V6(mask) => STANDARD.encode(mask.octets()),
        };
        GoSubnet { ip: self.0.network(), mask }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OpSubnet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Text(String),
            Go(GoSubnet),
        }
        let subnet = match Spelling::deserialize(deserializer) {
            Ok(Spelling::Text(text)) => text.parse().ok(),
            Ok(Spelling::Go(subnet)) => subnet.read(),
            Err(_) => None,
        };
        subnet.map(Self).ok_or_else(|| {
            de::Error::custom("not a subnet: write CIDR notation, or {\"IP\": address, \"Mask\": base64}")
        })
    }
}

impl GoSubnet {
    fn read(&self) -> Option<Subnet> {
        let mask = STANDARD.decode(&self.mask).ok()?;
        let mask = match <[u8; 4]>::try_from(mask.as_slice()) {
            Ok(mask) => IpAddr::from(mask),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(mask.as_slice()).ok()?),
        };
        let is_of_one_family = self.ip.is_ipv4() == mask.is_ipv4();
        is_of_one_family.then(|| Subnet::with_netmask(self.ip, mask).ok()).flatten()
    }
}

/// A chain, as an optional last parameter names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct OfChain(Quantity);

impl OfChain {
    pub(super) fn id(self) -> crosscheck_p2p::ChainId {
        self.0.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::cidr(json!("203.0.113.7/24"))]
    #[case::go(json!({ "IP": "203.0.113.0", "Mask": "////AA==" }))]
    fn a_subnet_is_read_in_both_forms_and_written_in_gos(#[case] spelling: Value) {
        let subnet: OpSubnet = serde_json::from_value(spelling).unwrap();
        assert_eq!(serde_json::to_value(subnet).unwrap(), json!({ "IP": "203.0.113.0", "Mask": "////AA==" }));
    }

    #[test]
    fn a_subnet_of_ipv6_has_a_mask_of_sixteen_bytes() {
        let subnet = OpSubnet("2001:db8::/32".parse().unwrap());
        let written = json!({ "IP": "2001:db8::", "Mask": "/////wAAAAAAAAAAAAAAAA==" });
        assert_eq!(serde_json::to_value(subnet).unwrap(), written);
        assert_eq!(serde_json::from_value::<OpSubnet>(written).unwrap(), subnet);
    }

    #[rstest]
    #[case::no_prefix(json!("203.0.113.7"))]
    #[case::mask_with_a_hole(json!({ "IP": "203.0.113.0", "Mask": "/wD/AA==" }))]
    #[case::mask_of_another_family(json!({ "IP": "2001:db8::", "Mask": "////AA==" }))]
    #[case::number(json!(7))]
    fn text_that_is_not_a_subnet_is_refused(#[case] spelling: Value) {
        assert!(serde_json::from_value::<OpSubnet>(spelling).is_err());
    }

    /// The keys of op-node's `PeerInfo`, and the kinds of their values.
    #[test]
    fn a_peer_is_written_as_op_node_writes_it() {
        let written = serde_json::to_value(OpPeerInfo::default()).unwrap();
        let topic = json!({
            "timeInMesh": 0.0, "firstMessageDeliveries": 0.0, "meshMessageDeliveries": 0.0,
            "invalidMessageDeliveries": 0.0
        });
        let req_resp = json!({ "validResponses": 0.0, "errorResponses": 0.0, "rejectedPayloads": 0.0 });
        let gossip =
            json!({ "total": 0.0, "blocks": topic, "IPColocationFactor": 0.0, "behavioralPenalty": 0.0 });
        let expected = json!({
            "peerID": "", "nodeID": "", "userAgent": "", "protocolVersion": "", "ENR": "", "addresses": [],
            "protocols": [], "connectedness": 0, "direction": 0, "protected": false, "chainID": 0,
            "latency": 0, "gossipBlocks": false, "scores": { "gossip": gossip, "reqResp": req_resp }
        });
        assert_eq!(written, expected);
    }
}
