//! The protocol's ids, and its place in the swarm.
//!
//! op-node's id ends without a slash, the specification's with one: both are served and asked for. The chain
//! id is in decimal, never a name.

use super::PayloadCodec;
use crate::ChainId;
use libp2p::{
    StreamProtocol,
    request_response::{Behaviour, Config, ProtocolSupport},
};
use std::time::Duration;

/// The protocol as a part of the swarm.
pub(in crate::network) type SyncProtocol = Behaviour<PayloadCodec>;

/// op-node waits this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way on one connection: each may hold a block of 10 MiB.
const MAX_STREAMS: usize = 4;

/// The ids, op-node's first.
pub(in crate::network) fn protocol_ids(chain_id: ChainId) -> [String; 2] {
    ["", "/"].map(|end| format!("/opstack/req/payload_by_number/{chain_id}/0{end}"))
}

/// Whether one of a peer's protocols is this one.
pub(in crate::network) fn is_supported(chain_id: ChainId, protocols: &[String]) -> bool {
    protocol_ids(chain_id).iter().any(|id| protocols.contains(id))
}

/// The protocol of a chain.
pub(in crate::network) fn sync_behaviour(chain_id: ChainId) -> SyncProtocol {
    let protocols = protocol_ids(chain_id)
        .into_iter()
        .filter_map(|id| StreamProtocol::try_from_owned(id).ok())
        .map(|id| (id, ProtocolSupport::Full));
    let config = Config::default().with_request_timeout(TIMEOUT).with_max_concurrent_streams(MAX_STREAMS);
    Behaviour::new(protocols, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_in_decimal() {
        let [op_node, specification] = protocol_ids(ChainId::from(10));
        assert_eq!(op_node, "/opstack/req/payload_by_number/10/0");
        assert_eq!(specification, "/opstack/req/payload_by_number/10/0/");
        assert!(is_supported(ChainId::from(10), &[specification]));
        assert!(!is_supported(ChainId::from(10), &["/opstack/req/payload_by_number/optimism/0/".to_owned()]));
    }
}
