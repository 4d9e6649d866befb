//! Every method, asked of running networks.

use super::*;
use crosscheck_p2p::{ChainId, DiscoveryConfig, Network, NetworkConfig, NodeIdentity, Signers, SystemClock};
use jsonrpsee::RpcModule;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const CHAIN: u64 = 901;

/// Networks on loopback. They end when dropped.
struct World {
    handles: NetworkHandles,
    module: RpcModule<()>,
    tasks: JoinSet<()>,
}

impl World {
    async fn start(chains: &[u64]) -> Self {
        let handles = NetworkHandles::default();
        let peers = Opp2pRpc { networks: handles.clone() };
        let mut module = RpcModule::new(());
        module.merge(Opp2pApiServer::into_rpc(peers.clone())).unwrap();
        module.merge(Opp2pAdminApiServer::into_rpc(peers)).unwrap();
        let mut world = Self { handles, module, tasks: JoinSet::new() };
        for chain in chains {
            let handle = world.network(*chain);
            world.handles.insert(ChainId::from(*chain), handle);
        }
        world
    }

    fn network(&mut self, chain: u64) -> NetworkHandle {
        let mut config = NetworkConfig::new(ChainId::from(chain));
        config.discovery = Some(DiscoveryConfig::new());
        let (_signers, known) = watch::channel(Signers::default());
        let clock = Arc::new(SystemClock);
        let (network, handle, mut events) =
            Network::new(config, NodeIdentity::generate(), clock, known).unwrap();
        self.tasks.spawn(async move {
            let drained = async { while events.recv().await.is_some() {} };
            let (_ended, ()) = tokio::join!(network.run(CancellationToken::new()), drained);
        });
        handle
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (answer, _) = self.module.raw_json_request(&request.to_string(), 1).await.unwrap();
        let mut answer: Value = serde_json::from_str(answer.get()).unwrap();
        match answer.get("error") {
            Some(error) => Err(error["message"].as_str().unwrap().to_owned()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Like [`World::call`], at the path of a chain.
    async fn call_at(&self, chain: u64, method: &str, params: Value) -> Value {
        let mut module = self.module.clone();
        module.extensions_mut().insert(PathChain(ChainId::from(chain)));
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (answer, _) = module.raw_json_request(&request.to_string(), 1).await.unwrap();
        serde_json::from_str::<Value>(answer.get()).unwrap()["result"].take()
    }

    async fn ok(&self, method: &str, params: Value) -> Value {
        self.call(method, params).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_is_connected_listed_blocked_and_accepted_again() {
    let mut world = World::start(&[CHAIN]).await;
    let other = world.network(CHAIN);
    let addr = other.listen_addrs().await.unwrap().remove(0).to_string();
    let id = other.peer_id().to_string();
    assert_eq!(world.ok("opp2p_connectPeer", json!([addr])).await, Value::Null);
    let dump = world.ok("opp2p_peers", json!([true])).await;
    let peer = &dump["peers"][&id];
    assert_eq!(
        (&dump["totalConnected"], &peer["connectedness"], &peer["direction"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(peer["addresses"], json!([addr]));
    assert_eq!(peer["nodeID"].as_str().unwrap().len(), 64);
    let stats = world.ok("opp2p_peerStats", json!([])).await;
    assert_eq!((&stats["connected"], &stats["banned"]), (&json!(1), &json!(0)));

    assert_eq!(world.ok("opp2p_protectPeer", json!([id])).await, Value::Null);
    assert_eq!(world.ok("opp2p_peers", json!([true])).await["peers"][&id]["protected"], json!(true));
    world.ok("opp2p_unprotectPeer", json!([id])).await;

    world.ok("opp2p_blockPeer", json!([id])).await;
    assert_eq!(world.ok("opp2p_listBlockedPeers", json!([])).await, json!([id]));
    assert_eq!(world.ok("opp2p_peers", json!([false])).await["bannedPeers"], json!([id]));
    assert!(world.call("opp2p_connectPeer", json!([addr])).await.unwrap_err().contains("blocked"));
    world.ok("opp2p_unblockPeer", json!([id])).await;
    assert_eq!(world.ok("opp2p_listBlockedPeers", json!([])).await, json!([]));
    assert_eq!(world.ok("opp2p_disconnectPeer", json!([id])).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_subnets_are_blocked_and_listed() {
    let world = World::start(&[CHAIN]).await;
    world.ok("opp2p_blockAddr", json!(["203.0.113.7"])).await;
    world.ok("opp2p_blockSubnet", json!([{ "IP": "198.51.100.0", "Mask": "////AA==" }])).await;
    assert_eq!(world.ok("opp2p_listBlockedAddrs", json!([])).await, json!(["203.0.113.7"]));
    let subnet = json!({ "IP": "198.51.100.0", "Mask": "////AA==" });
    assert_eq!(world.ok("opp2p_listBlockedSubnets", json!([])).await, json!([subnet]));
    world.ok("opp2p_unblockAddr", json!(["203.0.113.7"])).await;
    world.ok("opp2p_unblockSubnet", json!(["198.51.100.0/24"])).await;
    let dump = world.ok("opp2p_peers", json!([true])).await;
    assert_eq!((&dump["bannedIPS"], &dump["bannedSubnets"]), (&json!([]), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_reports_itself() {
    let world = World::start(&[CHAIN]).await;
    let handle = world.handles.of(None).remove(0).1;
    let own = world.ok("opp2p_self", json!([])).await;
    assert_eq!((&own["peerID"], &own["chainID"]), (&json!(handle.peer_id().to_string()), &json!(CHAIN)));
    assert_eq!(own["addresses"], json!([handle.listen_addrs().await.unwrap()[0].to_string()]));
    assert!(own["protocols"][0].as_str().unwrap().ends_with("/payload_by_number/901/0"));
    assert_eq!(world.ok("opp2p_discoveryTable", json!([])).await, json!([]));
}

#[rstest]
#[case::none_joined(&[], json!([]), "no chain's gossip is joined")]
#[case::which_of_two(&[901, 902], json!([]), "give one of the chains 901, 902")]
#[case::another(&[901], json!([903]), "gossip of chain 903 is not joined")]
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_has_to_be_named_among_several(
    #[case] chains: &[u64],
    #[case] params: Value,
    #[case] problem: &str,
) {
    let world = World::start(chains).await;
    let refused = world.call("opp2p_peerStats", params).await.unwrap_err();
    assert!(refused.contains(problem), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_chains_is_named_last() {
    let world = World::start(&[901, 902]).await;
    for chain in [json!(902), json!("902"), json!("0x386")] {
        assert_eq!(world.ok("opp2p_self", json!([chain])).await["chainID"], json!(902));
        assert_eq!(world.ok("opp2p_peers", json!([true, chain])).await["totalConnected"], json!(0));
    }
}

#[rstest]
#[case::peer("opp2p_blockPeer", json!(["me"]), "bad peer id")]
#[case::address("opp2p_connectPeer", json!(["10.0.0.1:9222"]), "bad peer address")]
#[case::address_without_id("opp2p_connectPeer", json!(["/ip4/127.0.0.1/tcp/1"]), "/p2p/<peer id>")]
#[case::ip("opp2p_blockAddr", json!(["10.0.0.0/8"]), "Invalid params")]
#[case::subnet("opp2p_blockSubnet", json!(["10.0.0.0"]), "Invalid params")]
#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_refused(#[case] method: &str, #[case] params: Value, #[case] problem: &str) {
    let world = World::start(&[CHAIN]).await;
    let refused = world.call(method, params).await.unwrap_err();
    assert!(refused.contains(problem), "{refused}");
}

/// op-node's client names no chain.
#[tokio::test(flavor = "multi_thread")]
async fn the_path_names_the_chain() {
    let world = World::start(&[CHAIN, 902]).await;
    assert!(world.call("opp2p_self", json!([])).await.unwrap_err().contains("/<chain id>/"));
    for chain in [CHAIN, 902] {
        assert_eq!(world.call_at(chain, "opp2p_self", json!([])).await["chainID"], json!(chain));
        assert_eq!(world.call_at(chain, "opp2p_listBlockedPeers", json!([])).await, json!([]));
    }
    // A chain that is named is meant.
    assert_eq!(world.call_at(CHAIN, "opp2p_self", json!([902])).await["chainID"], json!(902));
}
