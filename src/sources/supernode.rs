//! [`Supernode`]: a client of op-supernode, asked as one server of several chains. It judges no answer.
//!
//! What it answers of a timestamp is not proven, and may not even be verified by it: it answers for
//! timestamps before those that it verifies too, and so does a plain op-node.

use super::{Endpoint, EndpointLimits, EndpointUrl, RollupNode, SafeHeadAtL1, SafeRecord, SourceError};
use alloy::primitives::{B256, U64};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::rpc_params;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most chains that are read of one answer.
const MAX_CHAINS: usize = 256;

/// A client of op-supernode.
#[derive(Clone, Debug)]
pub(crate) struct Supernode {
    endpoint: Endpoint,
    limits: EndpointLimits,
}

/// A super root as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnsweredSuperRoot {
    /// The super root.
    pub(crate) super_root: B256,
    /// The output roots that it is said to be made of.
    pub(crate) outputs: BTreeMap<ChainId, B256>,
    /// Up to which L1 block the server has read.
    pub(crate) current_l1: u64,
}

#[derive(Deserialize)]
struct Status {
    chain_ids: Vec<ChainId>,
}

#[derive(Deserialize)]
struct AtTimestamp {
    current_l1: L1Block,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct L1Block {
    number: u64,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "super")]
    preimage: SuperV1,
    super_root: B256,
}

#[derive(Deserialize)]
struct SuperV1 {
    timestamp: U64,
    chains: Vec<ChainOutput>,
}

#[derive(Deserialize)]
struct ChainOutput {
    #[serde(rename = "ChainID")]
    chain_id: ChainId,
    #[serde(rename = "Output")]
    output: B256,
}

impl Supernode {
    /// A client of the server at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub(crate) fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self { endpoint: Endpoint::new(url, limits)?, limits })
    }

    /// The chains that it runs. A plain op-node does not serve this.
    ///
    /// # Errors
    /// If it does not answer, or is not an op-supernode.
    pub(crate) async fn chain_ids(&self) -> Result<BTreeSet<ChainId>, SourceError> {
        const METHOD: &str = "supernode_syncStatus";
        let status: Status = self.endpoint.call(METHOD, rpc_params![]).await?;
        self.bounded(METHOD, status.chain_ids.len())?;
        Ok(status.chain_ids.into_iter().collect())
    }

    /// Its super root at a timestamp. `None`: it has none yet.
    ///
    /// # Errors
    /// If it does not answer, or about another timestamp.
    pub(crate) async fn super_root_at(
        &self,
        timestamp: UnixSeconds,
    ) -> Result<Option<AnsweredSuperRoot>, SourceError> {
        const METHOD: &str = "superroot_atTimestamp";
        let asked = U64::from(timestamp.0);
        let answer: AtTimestamp = self.endpoint.call(METHOD, rpc_params![asked]).await?;
        let Some(Data { preimage, super_root }) = answer.data else { return Ok(None) };
        if preimage.timestamp != asked {
            let reason =
                format!("timestamp {} was requested, {} was returned", timestamp.0, preimage.timestamp);
            return Err(self.endpoint.untrustworthy(METHOD, &reason));
        }
        self.bounded(METHOD, preimage.chains.len())?;
        let outputs = preimage.chains.into_iter().map(|chain| (chain.chain_id, chain.output)).collect();
        Ok(Some(AnsweredSuperRoot { super_root, outputs, current_l1: answer.current_l1.number }))
    }

    /// What its record of safe heads of a chain says: where it began to derive that chain. `known`: what it
    /// said before.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn safe_record(
        &self,
        chain_id: ChainId,
        current_l1: u64,
        known: Option<SafeHeadAtL1>,
    ) -> Result<SafeRecord, SourceError> {
        let node = RollupNode::new(self.endpoint.url().of_chain(chain_id), self.limits)?;
        node.safe_record(current_l1, known).await
    }

    fn bounded(&self, method: &'static str, chains: usize) -> Result<(), SourceError> {
        if chains <= MAX_CHAINS {
            return Ok(());
        }
        Err(self.endpoint.untrustworthy(method, &format!("{chains} chains, more than {MAX_CHAINS}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_devnet::serve::start;
    use jsonrpsee::RpcModule;
    use rstest::rstest;
    use serde_json::{Value, json};
    use std::time::Duration;

    const LIMITS: EndpointLimits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 65_536,
        max_concurrent_requests: 1,
    };

    #[allow(clippy::needless_pass_by_value, reason = "the cases read better")]
    fn answer(data: Value) -> Value {
        json!({ "current_l1": { "hash": B256::ZERO, "number": 7 }, "chain_ids": ["901"], "data": data })
    }

    fn data(timestamp: &str) -> Value {
        let chains = json!([{ "ChainID": "901", "Output": B256::repeat_byte(2) }]);
        json!({ "super_root": B256::repeat_byte(1), "super": { "timestamp": timestamp, "chains": chains } })
    }

    #[rstest]
    #[case::root(answer(data("0x10")), Some(Some(1)))]
    #[case::not_yet(answer(json!(null)), Some(None))]
    #[case::left_out(json!({ "current_l1": { "number": 7 } }), Some(None))]
    #[case::of_another_time(answer(data("0x11")), None)]
    #[case::no_answer(json!("<html>"), None)]
    #[tokio::test]
    async fn a_super_root_is_read(#[case] sent: Value, #[case] expected: Option<Option<u8>>) {
        let mut module = RpcModule::new(sent);
        let method = |params: jsonrpsee::types::Params<'_>, sent: &Value, _: &jsonrpsee::Extensions| {
            assert_eq!(params.parse::<[String; 1]>().unwrap(), ["0x10"]);
            sent.clone()
        };
        module.register_method("superroot_atTimestamp", method).unwrap();
        let server = start(module).await.unwrap();
        let read = Supernode::new(server.url().parse().unwrap(), LIMITS).unwrap();
        let read = read.super_root_at(UnixSeconds(16)).await.ok();
        let root = |byte| AnsweredSuperRoot {
            super_root: B256::repeat_byte(byte),
            outputs: [(ChainId::from(901), B256::repeat_byte(2))].into(),
            current_l1: 7,
        };
        assert_eq!(read, expected.map(|answer| answer.map(root)));
    }
}
