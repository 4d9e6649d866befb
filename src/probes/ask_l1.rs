//! Asks L1's execution client what there is to find out about it. It judges nothing.

use super::answers::{L1Answers, L1ChainAnswers};
use super::asking::Asking;
use super::l1::SignerSettings;
use super::reference::Reference;
use crate::metrics::EndpointKind;
use crate::sources::{Endpoint, EndpointUrl, L1Client, SourceError};
use crosscheck_p2p::{ChainId, Clock};
use futures::future::join_all;

/// A chain, as far as L1 knows it.
#[derive(Clone, Debug)]
pub(super) struct L1Subject {
    /// The chain.
    pub(super) chain_id: ChainId,
    /// What it is known to be.
    pub(super) reference: Option<Reference>,
    /// Who signs for it.
    pub(super) signer: SignerSettings,
}

/// Asks the L1 endpoint at `url`.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_l1(
    asking: &Asking,
    url: &EndpointUrl,
    chains: Vec<L1Subject>,
    clock: &dyn Clock,
) -> Result<L1Answers, SourceError> {
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let l1 = L1Client::new(url.clone(), asking.limits)?;
    let latest = asking.within(url, "eth_getBlockByNumber", l1.latest()).await;
    let now = clock.now();
    let block = latest.as_ref().map(|latest| latest.hash()).unwrap_or_default();
    let chains = chains.into_iter().map(|chain| ask_of_chain(asking, url, &l1, chain));
    let (served_chain, chains, methods, version) = tokio::join!(
        asking.within(url, "eth_chainId", endpoint.chain_id()),
        join_all(chains),
        asking.methods(&endpoint, EndpointKind::L1, block),
        asking.within(url, "web3_clientVersion", endpoint.client_version()),
    );
    let latest = latest.map(|latest| latest.timestamp());
    Ok(L1Answers { url: url.clone(), served_chain, latest, now, chains, methods, version })
}

async fn ask_of_chain(
    asking: &Asking,
    url: &EndpointUrl,
    l1: &L1Client,
    subject: L1Subject,
) -> L1ChainAnswers {
    let first_block = async {
        let begins = subject.reference.as_ref()?.l1;
        let block = asking.within(url, "eth_getBlockByNumber", l1.block_by_number(begins.number)).await;
        Some(block.map(|block| block.map(|block| block.hash())))
    };
    let contract = subject.signer.contract(subject.reference.as_ref());
    let named = async {
        let named = asking.within(url, "eth_getStorageAt", l1.unsafe_block_signer(contract?)).await;
        Some(named)
    };
    let (genesis, named) = tokio::join!(first_block, named);
    L1ChainAnswers { subject, genesis, contract, named }
}
