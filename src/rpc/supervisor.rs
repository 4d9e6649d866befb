//! The `supervisor_*` methods: the interface of interop/supervisor.md, answered from what Crosscheck has
//! proven itself.
//!
//! | method | rests on |
//! | --- | --- |
//! | localUnsafe, localSafe, crossSafe, finalized, syncStatus | the monitor's tracker |
//! | crossDerivedToSource, allSafeDerivedAt, the sources of localSafe and crossSafe | the node's record, checked against L1 and the tracker |
//! | finalizedL1 | L1; without one configured, the nodes' answers |
//! | superRootAtTimestamp | verified headers of cross-safe blocks |
//! | checkAccessList | proven logs |

use super::access_check::{CheckMethod, Sent};
use super::front::PathChain;
use super::params::{HexChainId, NamedBlock, Quantity};
use super::super_roots::SuperRoots;
use super::supervisor_types::{
    BlockId, BlockRef, DerivedIdPair, SuperRootResponse, SupervisorChainSyncStatus, SupervisorSyncStatus,
};
use super::{AccessCheck, Derivation, SuperchainReader, SupervisorError};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::future::try_join_all;
use jsonrpsee::Extensions;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use std::collections::{BTreeMap, BTreeSet};

/// The specification's check.
const CHECK: CheckMethod =
    CheckMethod { name: "supervisor_checkAccessList", levels: &SafetyLevel::ALL, names_chain: false };

/// The `supervisor_*` methods.
#[rpc(server, namespace = "supervisor")]
pub(super) trait SupervisorApi {
    /// The L1 block that a cross-safe block became safe with.
    #[method(name = "crossDerivedToSource")]
    async fn cross_derived_to_source(&self, chain_id: ChainId, derived: NamedBlock) -> RpcResult<BlockRef>;

    /// The tip of a chain.
    #[method(name = "localUnsafe")]
    async fn local_unsafe(&self, chain_id: ChainId) -> RpcResult<BlockId>;

    /// The head of what L1 says of a chain, and the L1 block that it was derived from.
    #[method(name = "localSafe")]
    async fn local_safe(&self, chain_id: ChainId) -> RpcResult<DerivedIdPair>;

    /// The cross-safe head of a chain, and the L1 block that it became safe with.
    #[method(name = "crossSafe")]
    async fn cross_safe(&self, chain_id: ChainId) -> RpcResult<DerivedIdPair>;

    /// The finalized head of a chain.
    #[method(name = "finalized")]
    async fn finalized(&self, chain_id: ChainId) -> RpcResult<BlockId>;

    /// The finalized L1 block.
    #[method(name = "finalizedL1")]
    async fn finalized_l1(&self) -> RpcResult<BlockRef>;

    /// The super root of a dependency set at a timestamp at which its chains are cross-safe.
    #[method(name = "superRootAtTimestamp", with_extensions)]
    async fn super_root_at_timestamp(&self, timestamp: Quantity) -> RpcResult<SuperRootResponse>;

    /// The heads of the chains of a dependency set.
    #[method(name = "syncStatus", with_extensions)]
    async fn sync_status(&self) -> RpcResult<SupervisorSyncStatus>;

    /// The last block of each chain of a dependency set that was safe with an L1 block.
    #[method(name = "allSafeDerivedAt", with_extensions)]
    async fn all_safe_derived_at(&self, derived_from: NamedBlock)
    -> RpcResult<BTreeMap<HexChainId, BlockId>>;

    /// Whether every message that the entries declare is there, and safe enough. No answer but `null`, or an
    /// error.
    #[method(name = "checkAccessList")]
    async fn check_access_list(&self, entries: Sent, min_safety: Sent, descriptor: Sent) -> RpcResult<()>;
}

/// What the `supervisor_*` methods read.
#[derive(Clone, Debug)]
pub(super) struct SupervisorRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// The check of access lists.
    pub access: AccessCheck,
    /// Where blocks were derived from.
    pub derivation: Derivation,
    /// Super roots.
    pub super_roots: SuperRoots,
}

#[async_trait]
impl SupervisorApiServer for SupervisorRpc {
    async fn cross_derived_to_source(&self, chain_id: ChainId, derived: NamedBlock) -> RpcResult<BlockRef> {
        let derived = BlockId { hash: derived.hash, number: derived.number.0 };
        let source = self.derivation.source_of(chain_id, derived, SafetyLevel::Safe).await?;
        Ok(self.derivation.l1_block(source.number).await?)
    }

    async fn local_unsafe(&self, chain_id: ChainId) -> RpcResult<BlockId> {
        Ok(self.head(chain_id, SafetyLevel::Unsafe).await?.id())
    }

    async fn local_safe(&self, chain_id: ChainId) -> RpcResult<DerivedIdPair> {
        Ok(self.derived_head(chain_id, SafetyLevel::LocalSafe).await?)
    }

    async fn cross_safe(&self, chain_id: ChainId) -> RpcResult<DerivedIdPair> {
        Ok(self.derived_head(chain_id, SafetyLevel::Safe).await?)
    }

    async fn finalized(&self, chain_id: ChainId) -> RpcResult<BlockId> {
        Ok(self.head(chain_id, SafetyLevel::Finalized).await?.id())
    }

    async fn finalized_l1(&self) -> RpcResult<BlockRef> {
        Ok(self.l1_finalized().await?)
    }

    async fn super_root_at_timestamp(
        &self,
        path: &Extensions,
        timestamp: Quantity,
    ) -> RpcResult<SuperRootResponse> {
        let chains = self.superchain.set_at(path.get::<PathChain>().copied())?;
        Ok(self.super_roots.cross_safe_at(&chains, UnixSeconds(timestamp.0)).await?)
    }

    async fn sync_status(&self, path: &Extensions) -> RpcResult<SupervisorSyncStatus> {
        let chains = self.superchain.set_at(path.get::<PathChain>().copied())?;
        Ok(self.status(&chains).await?)
    }

    async fn all_safe_derived_at(
        &self,
        path: &Extensions,
        derived_from: NamedBlock,
    ) -> RpcResult<BTreeMap<HexChainId, BlockId>> {
        let chains = self.superchain.set_at(path.get::<PathChain>().copied())?;
        let source = BlockId { hash: derived_from.hash, number: derived_from.number.0 };
        Ok(self.safe_derived_at(&chains, source).await?)
    }

    async fn check_access_list(&self, entries: Sent, level: Sent, descriptor: Sent) -> RpcResult<()> {
        self.access.answer(CHECK, entries, level, descriptor).await
    }
}

impl SupervisorRpc {
    /// The highest block of a level.
    async fn head(&self, chain_id: ChainId, level: SafetyLevel) -> Result<BlockRef, SupervisorError> {
        self.superchain.sources(chain_id)?;
        let number = self.superchain.level_heads(chain_id)?.head(level);
        let number = number.filter(|_| !self.superchain.is_unnamed(chain_id, level));
        let number = number.ok_or_else(|| SupervisorError::Uninitialized {
            what: format!("the {level} head of chain {chain_id}"),
        })?;
        self.superchain.canonical(chain_id, number).await
    }

    /// The highest block of a level, and the L1 block that it became safe with.
    async fn derived_head(
        &self,
        chain_id: ChainId,
        level: SafetyLevel,
    ) -> Result<DerivedIdPair, SupervisorError> {
        let derived = self.head(chain_id, level).await?.id();
        let source = self.derivation.source_of(chain_id, derived, level).await?;
        Ok(DerivedIdPair { source, derived })
    }

    async fn l1_finalized(&self) -> Result<BlockRef, SupervisorError> {
        let unknown = || SupervisorError::Uninitialized { what: "the finalized L1 block".to_owned() };
        let Some(l1) = &self.superchain.l1 else {
            let lowest = self.superchain.lowest_node_l1(|_| true, "finalized_l1");
            return lowest.map(Into::into).ok_or_else(unknown);
        };
        let block = l1.finalized().await;
        let block = block.map_err(|error| SupervisorError::unproven("the finalized L1 block", &error))?;
        let block = block.ok_or_else(unknown)?;
        Ok(BlockRef {
            hash: block.hash(),
            number: block.number(),
            parent_hash: block.header().parent_hash,
            timestamp: block.timestamp().0,
        })
    }

    async fn safe_derived_at(
        &self,
        chains: &BTreeSet<ChainId>,
        source: BlockId,
    ) -> Result<BTreeMap<HexChainId, BlockId>, SupervisorError> {
        self.derivation.check_l1(source).await?;
        let derived = chains.iter().copied().map(|chain_id| async move {
            let block = self.derivation.safe_at(chain_id, source).await?;
            Ok::<_, SupervisorError>((HexChainId(chain_id), block))
        });
        Ok(try_join_all(derived).await?.into_iter().collect())
    }

    async fn status(&self, set: &BTreeSet<ChainId>) -> Result<SupervisorSyncStatus, SupervisorError> {
        let chains = set.iter().copied().map(|chain_id| async move {
            Ok::<_, SupervisorError>((chain_id, self.chain_status(chain_id).await?))
        });
        let chains = try_join_all(chains).await?;
        let lowest = |of: fn(&ChainProgress) -> u64| chains.iter().map(|(_, chain)| of(chain)).min();
        Ok(SupervisorSyncStatus {
            min_synced_l1: self
                .superchain
                .lowest_node_l1(|chain_id| set.contains(&chain_id), "current_l1")
                .map(Into::into)
                .unwrap_or_default(),
            safe_timestamp: lowest(|chain| chain.safe_timestamp).unwrap_or_default(),
            finalized_timestamp: lowest(|chain| chain.finalized_timestamp).unwrap_or_default(),
            chains: chains.iter().map(|(chain_id, chain)| (HexChainId(*chain_id), chain.status)).collect(),
        })
    }

    /// A chain of which nothing is known is reported as the specification wants it: with all-zero blocks.
    async fn chain_status(&self, chain_id: ChainId) -> Result<ChainProgress, SupervisorError> {
        let Ok(heads) = self.superchain.level_heads(chain_id) else { return Ok(ChainProgress::default()) };
        let at = |level: SafetyLevel| {
            let number = heads.head(level).filter(|_| !self.superchain.is_unnamed(chain_id, level));
            async move {
                match number {
                    Some(number) => self.superchain.canonical(chain_id, number).await.map(Some),
                    None => Ok(None),
                }
            }
        };
        let [tip, cross_unsafe, local_safe, safe, finalized] = SafetyLevel::ALL.map(at);
        let (tip, cross_unsafe, local_safe, safe, finalized) =
            futures::try_join!(tip, cross_unsafe, local_safe, safe, finalized)?;
        let id = |block: Option<BlockRef>| block.unwrap_or_default().id();
        Ok(ChainProgress {
            status: SupervisorChainSyncStatus {
                local_unsafe: tip.unwrap_or_default(),
                local_safe: id(local_safe),
                cross_unsafe: id(cross_unsafe),
                safe: id(safe),
                finalized: id(finalized),
            },
            safe_timestamp: safe.unwrap_or_default().timestamp,
            finalized_timestamp: finalized.unwrap_or_default().timestamp,
        })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct ChainProgress {
    status: SupervisorChainSyncStatus,
    safe_timestamp: u64,
    finalized_timestamp: u64,
}
