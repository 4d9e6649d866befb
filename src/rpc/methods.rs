//! [`RpcParts`]: everything that the server's methods read, put together.

use super::RpcMetrics;
use super::crosscheck::{CrosscheckApiServer, CrosscheckRpc};
use super::events::{EventsApiServer, EventsRpc};
use super::interop_api::{
    FailsafeAdminApiServer, FailsafeApiServer, FailsafeRpc, InteropApiServer, InteropRpc,
};
use super::l1_progress::L1Progress;
use super::messages::{MessagesApiServer, MessagesRpc};
use super::opp2p::{Opp2pAdminApiServer, Opp2pApiServer, Opp2pRpc};
use super::peers::{PeersApiServer, PeersRpc};
use super::super_roots::SuperRoots;
use super::supernode_api::{HeartbeatApiServer, SupernodeApiServer, SupernodeRpc};
use super::superroot_api::{SuperRootApiServer, SuperRootRpc};
use super::supervisor::{SupervisorApiServer, SupervisorRpc};
use super::{AccessCheck, Derivation, Failsafe, OwnAnswers, SuperchainReader};
use crate::gossip::NetworkHandles;
use crate::ledger::StoredEvent;
use crate::monitor::Suspects;
use crosscheck_p2p::Clock;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::METHOD_NOT_FOUND_CODE;
use std::sync::Arc;
use tokio::sync::broadcast;

/// What the methods read.
#[derive(Debug)]
pub struct RpcParts {
    /// Attestations, refusals and the state of the program.
    pub crosscheck: CrosscheckRpc,
    /// The networks, asked for their peers.
    pub networks: NetworkHandles,
    /// The chains.
    pub superchain: SuperchainReader,
    /// Suspect messages.
    pub suspects: Suspects,
    /// Where events come from.
    pub events: broadcast::Sender<StoredEvent>,
    /// The failsafe.
    pub failsafe: Failsafe,
    /// Whether methods that change something are served.
    pub admin: bool,
    /// Reports when the failsafe is switched.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: RpcMetrics,
}

impl RpcParts {
    /// The program's own answers, for comparisons with those of others.
    pub(crate) fn own_answers(&self) -> OwnAnswers {
        let superchain = &self.superchain;
        let access = AccessCheck::new(superchain.clone(), self.failsafe.clone(), self.metrics.clone());
        let derivation = Derivation::new(superchain.clone());
        let ledger = self.crosscheck.ledger.clone();
        let super_roots = SuperRoots::new(superchain.clone(), derivation.clone(), ledger);
        let progress = L1Progress::new(superchain.clone(), derivation, super_roots.starts().clone());
        OwnAnswers::new(SuperRootRpc { superchain: superchain.clone(), super_roots, progress }, access)
    }

    /// Every method that is served.
    ///
    /// # Errors
    /// If two of them have one name, which is a fault of this program.
    pub fn module(self) -> Result<RpcModule<()>, RegisterMethodError> {
        let Self { crosscheck, networks, superchain, suspects, events, failsafe, admin, clock, metrics } =
            self;
        let access = AccessCheck::new(superchain.clone(), failsafe.clone(), metrics.clone());
        let derivation = Derivation::new(superchain.clone());
        let super_roots = SuperRoots::new(superchain.clone(), derivation.clone(), crosscheck.ledger.clone());
        let starts = super_roots.starts().clone();
        let progress = L1Progress::new(superchain.clone(), derivation.clone(), starts.clone());
        let failsafe = FailsafeRpc { failsafe, ledger: crosscheck.ledger.clone(), clock };
        let mut module = RpcModule::new(());
        let (ledger, names) = (crosscheck.ledger.clone(), crosscheck.names.clone());
        let messages =
            MessagesRpc { superchain: superchain.clone(), suspects, ledger: ledger.clone(), events, metrics };
        module.merge(EventsApiServer::into_rpc(EventsRpc { ledger, names }))?;
        module.merge(CrosscheckApiServer::into_rpc(crosscheck))?;
        let peers = Opp2pRpc { networks: networks.clone() };
        merge_admin(&mut module, admin, Opp2pAdminApiServer::into_rpc(peers.clone()))?;
        module.merge(Opp2pApiServer::into_rpc(peers))?;
        module.merge(PeersApiServer::into_rpc(PeersRpc { networks }))?;
        module.merge(MessagesApiServer::into_rpc(messages))?;
        let supervisor = SupervisorRpc {
            superchain: superchain.clone(),
            access: access.clone(),
            derivation,
            super_roots: super_roots.clone(),
        };
        module.merge(SupervisorApiServer::into_rpc(supervisor))?;
        module.merge(InteropApiServer::into_rpc(InteropRpc { superchain: superchain.clone(), access }))?;
        let supernode = SupernodeRpc { superchain: superchain.clone(), starts, progress: progress.clone() };
        module.merge(SupernodeApiServer::into_rpc(supernode.clone()))?;
        module.merge(HeartbeatApiServer::into_rpc(supernode))?;
        module.merge(SuperRootApiServer::into_rpc(SuperRootRpc { superchain, super_roots, progress }))?;
        merge_admin(&mut module, admin, FailsafeAdminApiServer::into_rpc(failsafe.clone()))?;
        module.merge(FailsafeApiServer::into_rpc(failsafe))?;
        Ok(module)
    }
}

/// Methods that change something: where they are off, the answer says so, with the code of a method that is
/// not served.
fn merge_admin<T>(
    module: &mut RpcModule<()>,
    is_on: bool,
    methods: RpcModule<T>,
) -> Result<(), RegisterMethodError> {
    if is_on {
        return module.merge(methods);
    }
    for name in methods.method_names() {
        module.register_method(name, |_, (), _| Err::<(), _>(switched_off()))?;
    }
    Ok(())
}

fn switched_off() -> ErrorObjectOwned {
    let text = "Method not found: it changes something, and rpc.admin is false";
    ErrorObjectOwned::owned(METHOD_NOT_FOUND_CODE, text, None::<()>)
}
