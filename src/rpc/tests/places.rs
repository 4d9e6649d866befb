//! No answer contains the address of an endpoint, for any request and any failure of the endpoints.

use super::world::{CHAIN, FIRST, Setup, TIP, World, chain, time_of};
use crate::health::HealthPart;
use crate::sources::SourceError;
use serde_json::{Value, json};

/// What a method is asked here, so that it asks endpoints in its turn where it can.
fn params(world: &World, method: &str) -> Vec<Value> {
    let (id, l1) = (world.id(9), world.l1_id(5));
    match method {
        "supervisor_checkAccessList" | "interop_checkAccessList" => {
            let descriptor = json!({ "chainID": CHAIN, "timestamp": time_of(TIP) });
            vec![json!(world.entries(&[FIRST - 1])), json!("unsafe"), descriptor]
        }
        "supervisor_crossDerivedToSource" => vec![json!(CHAIN), id],
        "supervisor_superRootAtTimestamp" | "superroot_atTimestamp" => vec![json!(time_of(9))],
        "supervisor_allSafeDerivedAt" => vec![l1],
        "interop_getBlockHashByNumber" => vec![json!(CHAIN), json!(FIRST - 1)],
        "supervisor_localUnsafe"
        | "supervisor_localSafe"
        | "supervisor_crossSafe"
        | "supervisor_finalized" => {
            vec![json!(CHAIN)]
        }
        _ => Vec::new(),
    }
}

/// What is said of each endpoint once none of them answers any more.
async fn complaints(world: &World) -> Vec<SourceError> {
    let sources = &world.superchain.chains[&chain()];
    vec![
        sources.execution.block_by_number(1).await.unwrap_err(),
        sources.node.as_ref().unwrap().status().await.unwrap_err(),
        world.superchain.l1.as_ref().unwrap().block_by_number(1).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn no_answer_of_any_method_contains_an_endpoint_address() {
    let mut world = World::start(Setup { admin: true, ..Setup::default() }).await;
    let addrs = world.silence().await;
    assert_eq!(addrs.len(), 3);
    for (place, complaint) in complaints(&world).await.iter().enumerate() {
        assert!(addrs.iter().any(|addr| complaint.to_string().contains(&addr.to_string())), "{complaint}");
        let part = HealthPart::Claimant { chain_id: chain(), name: format!("part {place}") };
        world.health.set_not_ready(&part, complaint.to_string());
    }
    let mut failed = 0;
    for method in &world.methods {
        let answer = world.call(method, &params(&world, method)).await;
        failed += usize::from(answer.as_ref().is_err_and(|error| error.0 == -32_603));
        let reported = format!("{answer:?}");
        for addr in &addrs {
            assert!(!reported.contains(&addr.to_string()), "{method}: {reported}");
        }
    }
    assert!(failed > 3, "{failed} of the methods asked endpoints in vain");
    let status = world.call("crosscheck_status", &[]).await.unwrap();
    let reported: Vec<&str> =
        status["reasons"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for (reason, name) in
        reported.iter().zip(["execution #0 of chain 901", "rollup-node #0 of chain 901", "l1"])
    {
        assert!(reason.contains(&format!("{name} did not answer")), "{reason}");
    }
    let node = &status["chains"][0]["rollup_nodes"][0];
    assert_eq!(
        (&node["endpoint"], &node["state"]),
        (&json!("rollup-node #0 of chain 901"), &json!("failing"))
    );
}
