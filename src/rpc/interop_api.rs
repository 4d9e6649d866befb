//! The `interop_*` and `admin_*` methods: what transaction pools and proxies ask today, as op-interop-filter
//! answers it.

use super::access_check::{CheckMethod, Sent};
use super::params::BlockSelector;
use super::{AccessCheck, Failsafe, SuperchainReader, SupervisorError};
use crate::ledger::Ledger;
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::{ChainId, Clock};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use std::sync::Arc;
use tracing::{error, warn};

/// Today's check.
const CHECK: CheckMethod = CheckMethod {
    name: "interop_checkAccessList",
    levels: &[SafetyLevel::Unsafe, SafetyLevel::CrossUnsafe],
    names_chain: true,
};

/// The `interop_*` methods.
#[rpc(server, namespace = "interop")]
pub(super) trait InteropApi {
    /// Whether every message that the entries declare is there, and may be executed. No answer but `null`, or
    /// an error.
    #[method(name = "checkAccessList")]
    async fn check_access_list(&self, entries: Sent, min_safety: Sent, descriptor: Sent) -> RpcResult<()>;

    /// The hash of a chain's canonical block.
    #[method(name = "getBlockHashByNumber")]
    async fn block_hash_by_number(&self, chain_id: ChainId, block: BlockSelector) -> RpcResult<B256>;
}

/// The `admin_*` method that any caller may use.
#[rpc(server, namespace = "admin")]
pub(super) trait FailsafeApi {
    /// Whether the failsafe is on.
    #[method(name = "getFailsafeEnabled")]
    fn failsafe_enabled(&self) -> RpcResult<bool>;
}

/// The `admin_*` method that changes something. Served only where `rpc.admin` is true.
#[rpc(server, namespace = "admin")]
pub(super) trait FailsafeAdminApi {
    /// Switches the failsafe, durably.
    #[method(name = "setFailsafeEnabled")]
    async fn set_failsafe_enabled(&self, enabled: bool) -> RpcResult<()>;
}

/// What the `interop_*` methods read.
#[derive(Clone, Debug)]
pub(super) struct InteropRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// The check.
    pub access: AccessCheck,
}

/// The failsafe as the `admin_*` methods see it.
#[derive(Clone, Debug)]
pub(super) struct FailsafeRpc {
    /// The switch.
    pub failsafe: Failsafe,
    /// Where it is kept.
    pub ledger: Ledger,
    /// Reports when it is switched.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl InteropApiServer for InteropRpc {
    async fn check_access_list(&self, entries: Sent, level: Sent, descriptor: Sent) -> RpcResult<()> {
        self.access.answer(CHECK, entries, level, descriptor).await
    }

    async fn block_hash_by_number(&self, chain_id: ChainId, block: BlockSelector) -> RpcResult<B256> {
        let number = match block {
            BlockSelector::Latest => self.superchain.level_heads(chain_id)?.tip.0,
            BlockSelector::Number(number) => number,
        };
        let found = self.superchain.canonical(chain_id, number).await;
        Ok(found.map(|block| block.hash).map_err(|error| match error {
            SupervisorError::Future { .. } => SupervisorError::NotFound { chain_id, number },
            other => other,
        })?)
    }
}

impl FailsafeApiServer for FailsafeRpc {
    fn failsafe_enabled(&self) -> RpcResult<bool> {
        Ok(self.failsafe.is_enabled())
    }
}

#[async_trait]
impl FailsafeAdminApiServer for FailsafeRpc {
    async fn set_failsafe_enabled(&self, enabled: bool) -> RpcResult<()> {
        // Durable first: a failsafe that is forgotten by a crash is none.
        if let Err(problem) = self.failsafe.store(&self.ledger, enabled, self.clock.now()).await {
            error!(%problem, enabled, "failsafe could not be changed");
            return Err(ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, problem.to_string(), None::<()>));
        }
        if self.failsafe.set(enabled) {
            warn!(enabled, "failsafe changed");
        }
        Ok(())
    }
}
