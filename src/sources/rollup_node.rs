//! [`RollupNode`]: what a chain's rollup node says of its heads.
//!
//! Served by op-node, kona-node and op-supernode; fields that only some of them send are optional. A
//! reference whose hash is all zero names no block: these nodes answer so after a start or a reset. It never
//! leaves here as a block.

use super::{Endpoint, EndpointLimits, EndpointPace, EndpointUrl, SourceError, StatusDocument};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, U64};
use crosscheck_core::consolidation::{RollupConfig, chain_by_id_or_name};
use crosscheck_core::heads::{L2BlockRef, SafeMeans, SafetyLevel};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::rpc_params;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The longest rollup configuration that is taken in, in bytes: what nodes send has about 3 KiB.
pub const MAX_ROLLUP_CONFIG_BYTES: usize = 256 * 1024;

/// The heads that a rollup node names. `None`: the node does not know that one yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "RawStatus")]
pub struct SyncStatus {
    /// The tip of the chain, not yet derived.
    pub unsafe_l2: Option<L2BlockRef>,
    /// The cross-safe head; on a node that does not verify messages, the same as local-safe.
    pub safe_l2: Option<L2BlockRef>,
    /// The head of what L1 says: nodes from before interop call it safe.
    pub local_safe_l2: Option<L2BlockRef>,
    /// The head of what finalized L1 says.
    pub finalized_l2: Option<L2BlockRef>,
}

impl SyncStatus {
    /// Every head, by its level.
    pub const fn by_level(&self) -> [(SafetyLevel, Option<L2BlockRef>); 4] {
        [
            (SafetyLevel::Unsafe, self.unsafe_l2),
            (SafetyLevel::LocalSafe, self.local_safe_l2),
            (SafetyLevel::Safe, self.safe_l2),
            (SafetyLevel::Finalized, self.finalized_l2),
        ]
    }

    /// Whether it names any head at all.
    pub fn names_a_head(&self) -> bool {
        self.by_level().iter().any(|(_, head)| head.is_some())
    }
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(deserialize_with = "named")]
    unsafe_l2: Option<L2BlockRef>,
    #[serde(deserialize_with = "named")]
    safe_l2: Option<L2BlockRef>,
    local_safe_l2: Option<RawRef>,
    #[serde(deserialize_with = "named")]
    finalized_l2: Option<L2BlockRef>,
}

#[derive(Deserialize)]
struct RawRef {
    hash: B256,
    number: u64,
    timestamp: UnixSeconds,
}

impl RawRef {
    fn named(self) -> Option<L2BlockRef> {
        L2BlockRef::new(self.number, self.hash, self.timestamp)
    }
}

/// A reference that must be there, and may name no block.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<L2BlockRef>, D::Error> {
    Ok(Option::<RawRef>::deserialize(deserializer)?.and_then(RawRef::named))
}

impl From<RawStatus> for SyncStatus {
    fn from(raw: RawStatus) -> Self {
        let RawStatus { unsafe_l2, safe_l2, local_safe_l2, finalized_l2 } = raw;
        let local_safe_l2 = local_safe_l2.map_or(safe_l2, RawRef::named);
        Self { unsafe_l2, safe_l2, local_safe_l2, finalized_l2 }
    }
}

/// What `optimism_safeHeadAtL1Block` says: the safe head that follows from L1 up to a block.
///
/// op-node keeps the last safe head of each L1 block that changed it (with `--safedb.path`), so `l1_block`
/// may be below the one that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafeHeadAtL1 {
    /// The L1 block at which this became the safe head.
    #[serde(deserialize_with = "block_id")]
    pub l1_block: BlockNumHash,
    /// The safe head of the chain.
    #[serde(deserialize_with = "block_id")]
    pub safe_head: BlockNumHash,
}

impl SafeHeadAtL1 {
    /// Whether it names no L1 block: the node did not derive its safe head, but repeats a source's answer.
    pub fn is_repeated(&self) -> bool {
        self.l1_block.number == 0 && self.l1_block.hash.is_zero()
    }
}

/// A block id; its height may be a number, as op-node sends it, or a quantity in hexadecimal.
fn block_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlockNumHash, D::Error> {
    #[derive(Deserialize)]
    struct BlockId {
        hash: B256,
        number: U64,
    }
    let BlockId { hash, number } = BlockId::deserialize(deserializer)?;
    Ok(BlockNumHash { number: number.to(), hash })
}

#[derive(Deserialize)]
struct FollowedChain {
    #[serde(deserialize_with = "chain_by_id_or_name")]
    l2_chain_id: ChainId,
}

#[derive(Deserialize)]
struct DependencySetAnswer {
    dependencies: BTreeMap<ChainId, serde_json::Value>,
    #[serde(rename = "overrideMessageExpiryWindow")]
    expiry_window: Option<u64>,
}

/// What `supernode_syncStatus` says that matters here: whose messages it checks.
#[derive(Deserialize)]
struct SupernodeStatus {
    chain_ids: Vec<ChainId>,
}

/// A chain's rollup node.
#[derive(Clone, Debug)]
pub struct RollupNode {
    endpoint: Endpoint,
    limits: EndpointLimits,
}

impl RollupNode {
    /// A client of the node at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self { endpoint: Endpoint::new(url, limits)?, limits })
    }

    /// Where it is.
    pub const fn url(&self) -> &EndpointUrl {
        self.endpoint.url()
    }

    /// How long it takes to answer.
    pub(crate) const fn pace(&self) -> &EndpointPace {
        self.endpoint.pace()
    }

    /// Its heads, and all else that it says of them.
    ///
    /// # Errors
    /// If the node does not answer, or with no status.
    pub async fn status(&self) -> Result<StatusDocument, SourceError> {
        const METHOD: &str = "optimism_syncStatus";
        let answer: Box<RawValue> = self.endpoint.call(METHOD, rpc_params![]).await?;
        StatusDocument::read(&answer).map_err(|error| self.endpoint.untrustworthy(METHOD, &error))
    }

    /// The safe head that follows from L1 up to the block at this height.
    ///
    /// # Errors
    /// If the node does not answer, keeps no such record (op-node without `--safedb.path`, kona-node) or has
    /// none for that block, or answers about a later L1 block.
    pub async fn safe_head_at_l1(&self, number: u64) -> Result<SafeHeadAtL1, SourceError> {
        const METHOD: &str = "optimism_safeHeadAtL1Block";
        let answer: SafeHeadAtL1 = self.endpoint.call(METHOD, rpc_params![U64::from(number)]).await?;
        if answer.l1_block.number > number {
            let reason = format!("L1 block {number} was requested, {} was returned", answer.l1_block.number);
            return Err(self.endpoint.untrustworthy(METHOD, &reason));
        }
        Ok(answer)
    }

    /// The chain's rollup configuration, as the node gives it.
    ///
    /// # Errors
    /// If the node does not answer, or with more than [`MAX_ROLLUP_CONFIG_BYTES`].
    pub async fn rollup_config_document(&self) -> Result<Box<RawValue>, SourceError> {
        const METHOD: &str = "optimism_rollupConfig";
        let config: Box<RawValue> = self.endpoint.call(METHOD, rpc_params![]).await?;
        let length = config.get().len();
        if length > MAX_ROLLUP_CONFIG_BYTES {
            let reason = format!("the configuration has {length} bytes, more than {MAX_ROLLUP_CONFIG_BYTES}");
            return Err(self.endpoint.untrustworthy(METHOD, &reason));
        }
        Ok(config)
    }

    /// Checks that the node follows this chain.
    ///
    /// # Errors
    /// If it does not answer or follows another.
    pub async fn check_chain(&self, chain_id: ChainId) -> Result<(), SourceError> {
        const METHOD: &str = "optimism_rollupConfig";
        let config: FollowedChain = self.endpoint.call(METHOD, rpc_params![]).await?;
        if config.l2_chain_id == chain_id {
            return Ok(());
        }
        let reason = format!("it follows chain {}, not chain {chain_id}", config.l2_chain_id);
        Err(self.endpoint.untrustworthy(METHOD, &reason))
    }

    /// The rollup configuration that it was given.
    ///
    /// # Errors
    /// If the node does not answer, or with a configuration that no chain can have.
    pub async fn rollup_config(&self) -> Result<RollupConfig, SourceError> {
        self.endpoint.call("optimism_rollupConfig", rpc_params![]).await
    }

    /// What it means that the node calls a block of this chain safe: cross-safe if the node is an
    /// op-supernode that runs the chain. op-supernode serves a chain below its own address, so it is asked
    /// there too.
    ///
    /// # Errors
    /// If that cannot be found out now.
    pub async fn safe_means(&self, chain_id: ChainId) -> Result<SafeMeans, SourceError> {
        let here = supernode_runs(&self.endpoint, chain_id).await;
        match (here, self.endpoint.url().server_of(chain_id)) {
            (Err(SourceError::Refused { .. }), Some(server)) => {
                supernode_runs(&Endpoint::new(server, self.limits)?, chain_id).await
            }
            (here, _) => here,
        }
        .or_else(|error| match error {
            SourceError::Refused { .. } => Ok(SafeMeans::LocalSafe),
            error => Err(error),
        })
    }

    /// The dependency set that it was configured with: its chains and its expiry window, if it overrides
    /// that. As op-node has it, 0 overrides nothing.
    ///
    /// # Errors
    /// If the node does not answer; kona-node has no such method.
    pub async fn dependency_set(&self) -> Result<(Vec<ChainId>, Option<u64>), SourceError> {
        let answer: DependencySetAnswer = self.endpoint.call("optimism_dependencySet", rpc_params![]).await?;
        let window = answer.expiry_window.filter(|window| *window != 0);
        Ok((answer.dependencies.into_keys().collect(), window))
    }
}

/// What safe means on this server, if it answers as an op-supernode.
async fn supernode_runs(endpoint: &Endpoint, chain_id: ChainId) -> Result<SafeMeans, SourceError> {
    let status: SupernodeStatus = endpoint.call("supernode_syncStatus", rpc_params![]).await?;
    let runs = status.chain_ids.contains(&chain_id);
    Ok(if runs { SafeMeans::CrossSafe } else { SafeMeans::LocalSafe })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_devnet::serve::start;
    use jsonrpsee::RpcModule;
    use jsonrpsee::types::ErrorObjectOwned;
    use rstest::rstest;
    use serde_json::{Value, json};
    use std::time::Duration;

    const LIMITS: EndpointLimits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 4096,
        max_concurrent_requests: 1,
    };

    /// What the node says that was asked about an L1 block, if it was asked with a quantity.
    async fn ask(number: u64, answer: Result<Value, ErrorObjectOwned>) -> Result<SafeHeadAtL1, SourceError> {
        let mut module = RpcModule::new((U64::from(number), answer));
        let method = |params: jsonrpsee::types::Params<'_>,
                      node: &(U64, Result<Value, ErrorObjectOwned>),
                      _: &jsonrpsee::Extensions| {
            assert_eq!(params.parse::<[Value; 1]>().unwrap(), [json!(node.0)]);
            node.1.clone()
        };
        module.register_method("optimism_safeHeadAtL1Block", method).unwrap();
        let server = start(module).await.unwrap();
        let node = RollupNode::new(server.url().parse().unwrap(), LIMITS).unwrap();
        node.safe_head_at_l1(number).await
    }

    #[rstest]
    #[case::numbers(json!(40), json!(7))]
    #[case::quantities(json!("0x28"), json!("0x7"))]
    #[tokio::test]
    async fn the_safe_head_at_an_l1_block(#[case] l1: Value, #[case] l2: Value) {
        let (one, two) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let answer =
            json!({ "l1Block": { "hash": one, "number": l1 }, "safeHead": { "hash": two, "number": l2 } });
        let expected = SafeHeadAtL1 {
            l1_block: BlockNumHash { number: 40, hash: one },
            safe_head: BlockNumHash { number: 7, hash: two },
        };
        assert_eq!(ask(41, Ok(answer.clone())).await.unwrap(), expected);
        assert!(matches!(ask(39, Ok(answer)).await, Err(SourceError::Untrustworthy { .. })));
    }

    #[rstest]
    #[case::supernode(Some(json!({ "chain_ids": ["901", "902"], "chains": {} })), SafeMeans::CrossSafe)]
    #[case::supernode_of_others(Some(json!({ "chain_ids": ["902"], "chains": {} })), SafeMeans::LocalSafe)]
    #[case::plain_node(None, SafeMeans::LocalSafe)]
    #[tokio::test]
    async fn safe_is_cross_safe_on_a_supernode_alone(
        #[case] answer: Option<Value>,
        #[case] expected: SafeMeans,
    ) {
        let mut module = RpcModule::new(answer.clone());
        if answer.is_some() {
            module.register_method("supernode_syncStatus", |_, answer, _| answer.clone()).unwrap();
        }
        let server = start(module).await.unwrap();
        for path in ["", "901/"] {
            let url = format!("{}/{path}", server.url());
            let node = RollupNode::new(url.parse().unwrap(), LIMITS).unwrap();
            assert_eq!(node.safe_means(ChainId::from(901)).await.unwrap(), expected, "{url}");
        }
    }

    #[rstest]
    #[case::by_number(json!(10), 10, None)]
    #[case::by_name(json!("optimism"), 10, None)]
    #[case::another_by_name(json!("base"), 10, Some("it follows chain 8453, not chain 10"))]
    #[case::of_no_known_name(json!("nobody"), 10, Some("\"nobody\" is not a known chain name"))]
    #[tokio::test]
    async fn the_chain_that_a_node_follows(
        #[case] named: Value,
        #[case] chain: u64,
        #[case] refusal: Option<&str>,
    ) {
        let mut module = RpcModule::new(json!({ "l2_chain_id": named }));
        module.register_method("optimism_rollupConfig", |_, config, _| config.clone()).unwrap();
        let server = start(module).await.unwrap();
        let node = RollupNode::new(server.url().parse().unwrap(), LIMITS).unwrap();
        let problem = node.check_chain(ChainId::from(chain)).await.err().map(|error| error.to_string());
        let is_expected = refusal.map_or(problem.is_none(), |refusal| {
            problem.as_ref().is_some_and(|problem| problem.contains(refusal))
        });
        assert!(is_expected, "{problem:?}");
    }

    #[tokio::test]
    async fn an_unavailable_node_leaves_the_meaning_of_safe_unknown() {
        let node = RollupNode::new("http://127.0.0.1:1".parse().unwrap(), LIMITS).unwrap();
        assert!(node.safe_means(ChainId::from(901)).await.is_err());
    }

    /// A status whose heads are at these heights: unsafe, local-safe, safe, finalized. `z`: an all-zero
    /// reference, `-`: no such field, `n`: null.
    fn status(heads: &str) -> Result<SyncStatus, serde_json::Error> {
        let names = ["unsafe_l2", "local_safe_l2", "safe_l2", "finalized_l2"];
        let mut fields = serde_json::Map::new();
        for (name, head) in names.into_iter().zip(heads.chars()) {
            let (number, hash) = match head {
                '-' => continue,
                'z' => (0, B256::ZERO),
                _ => (head.to_digit(10).unwrap_or_default(), B256::repeat_byte(7)),
            };
            let head = match head {
                'n' => Value::Null,
                _ => json!({ "hash": hash, "number": number, "timestamp": 2 * number }),
            };
            fields.insert(name.to_owned(), head);
        }
        serde_json::from_value(Value::Object(fields))
    }

    #[rstest]
    #[case::all("8642", [Some(8), Some(6), Some(4), Some(2)])]
    #[case::none("zzzz", [None; 4])]
    #[case::null("nnnn", [None; 4])]
    #[case::genesis_is_a_head("0000", [Some(0); 4])]
    #[case::nothing_is_final("3210", [Some(3), Some(2), Some(1), Some(0)])]
    #[case::final_is_unknown("321z", [Some(3), Some(2), Some(1), None])]
    #[case::only_a_tip("3zzz", [Some(3), None, None, None])]
    #[case::before_interop("3-20", [Some(3), Some(2), Some(2), Some(0)])]
    #[case::before_interop_and_reset("3-zz", [Some(3), None, None, None])]
    fn heads_are_named_or_unknown(#[case] heads: &str, #[case] expected: [Option<u64>; 4]) {
        let status = status(heads).unwrap();
        assert_eq!(status.by_level().map(|(_, head)| head.map(|head| head.number)), expected);
        assert_eq!(status.names_a_head(), expected != [None; 4]);
    }

    #[test]
    fn a_status_without_heads_is_not_a_status() {
        assert!(status("-222").is_err() && status("22-2").is_err() && status("222-").is_err());
    }

    #[tokio::test]
    async fn a_node_without_the_record_is_an_error() {
        let refusal = ErrorObjectOwned::owned(-32_000, "safe head not found", None::<()>);
        assert!(matches!(ask(1, Err(refusal)).await, Err(SourceError::Refused { .. })));
        assert!(ask(1, Ok(Value::Null)).await.is_err());
    }
}
