//! The README's quick start, tried as its reader would: its file, with the mocks' addresses in the places of the
//! reader's endpoints, over Lagoon's activation.

use super::initiated_in;
use super::member::Followed;
use super::world::{LAGOON, OP, UNICHAIN, World};
use crate::program::{Running, Written, call, crosscheck, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use toml::Table;

/// The configuration file in the README's quick start.
fn file_of_the_readme() -> String {
    let readme = include_str!("../../../README.md");
    let section = readme.split_once("## Quick start on a real network").unwrap().1;
    let file = section.split_once("```toml").unwrap().1.split_once("```").unwrap().0;
    file.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// Its endpoints, each once, and what is served in its place.
fn with_endpoints(mut file: String, world: &World) -> String {
    let [op, unichain] = [OP, UNICHAIN].map(|place| &world.served[place]);
    for (place, url) in [
        ("http://l1-sepolia.internal:8545", world.l1_server.url()),
        ("http://op-reth.internal:8545", op.execution.url()),
        ("http://op-node.internal:9545", op.rollup_node.url()),
        ("https://unichain-sepolia.example.org", unichain.execution.url()),
        ("https://unichain-sepolia.example.com", unichain.execution.url().replace("127.0.0.1", "localhost")),
    ] {
        assert_eq!(file.matches(place).count(), 1, "{place} in {file}");
        file = file.replace(place, &url);
    }
    file
}

/// The file, and what only a test needs: a directory and addresses of its own, the time, and peers that are not the real network's.
async fn written(world: &World, dir: &Path) -> PathBuf {
    let mut config: Table = with_endpoints(file_of_the_readme(), world).parse().unwrap();
    let [rpc, http, follow] = free_addrs().unwrap();
    config.insert("data_dir".into(), dir.join("sidecar").to_str().unwrap().into());
    config.insert("clock".into(), format!("file:{}", world.clock.path().display()).into());
    config.insert("sources".into(), toml::toml! { poll_interval = "100ms" }.into());
    for (section, addr) in [("rpc", rpc), ("http", http), ("follow", follow)] {
        let section = config.entry(section).or_insert_with(|| Table::new().into()).as_table_mut().unwrap();
        section.insert("addr".into(), addr.to_string().into());
    }
    // The other chain has no rollup node: it is only monitored, and joins no gossip.
    let gossip = toml::Value::try_from(world.served[OP].gossip().await).unwrap();
    let own = config["chains"][world.members[OP].id().to_string()].as_table_mut().unwrap();
    own.insert("p2p".into(), gossip);
    let path = dir.join("crosscheck.toml");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// What the status says of a chain.
async fn status_of(rpc: &str, chain: u64) -> Option<Value> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    let chains = status["chains"].as_array()?;
    let of_chain = chains.iter().find(|it| it["chain_id"] == json!(chain))?;
    (status["ready"] == true).then(|| of_chain.clone())
}

/// Waits until a follower's safe head is at this height.
async fn leads_to(follower: &Followed, height: u64) {
    let is_there = async || (follower.safe() >= height).then_some(());
    eventually(&format!("the follower to come to {height}"), is_there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_quick_start_leads_a_follower_over_lagoon() {
    let dir = TempDir::new().unwrap();
    let mut world = World::start_with_plain_nodes(dir.path()).await;
    world.advance(LAGOON - 31).await;
    let file = written(&world, dir.path()).await;
    let config = ["--config", file.to_str().unwrap()];
    let checked = crosscheck(&[&["check", "--online"], &config[..]].concat()).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let log = dir.path().join("sidecar.log");
    let program = Running::start(&[&["run"], &config[..]].concat(), &log);
    let written = Written::wait_for(&file).await;
    let (op, rpc) = (world.members[OP].id(), written.rpc());
    eventually("the chain to be ready", || status_of(&rpc, op)).await;
    let follower = world.follow(&written.follow()).swap_remove(OP);

    world.advance(LAGOON + 21).await;
    leads_to(&follower, world.members[OP].height_at(LAGOON + 11)).await;

    let unichain = &world.members[UNICHAIN];
    let valid = unichain.message_of(unichain.height_at(LAGOON + 5));
    let invalid = initiated_in(unichain.id(), unichain.height_at(LAGOON + 6), LAGOON + 6);
    world.execute(OP, valid);
    world.advance(LAGOON + 41).await;
    leads_to(&follower, world.members[OP].height_at(LAGOON + 31)).await;

    let bad = world.members[OP].block_number() + 1;
    world.execute(OP, invalid);
    world.advance(LAGOON + 71).await;
    leads_to(&follower, bad - 1).await;
    let hold = async || {
        let status = call(&rpc, "crosscheck_status", &[]).await?;
        let of_chain = status["chains"].as_array()?.iter().find(|it| it["chain_id"] == json!(op))?.clone();
        of_chain["hold"].is_object().then_some(of_chain)
    };
    let status = eventually("the invalid block to hold the vouched head", hold).await;
    assert_eq!((status["vouched"].as_u64(), follower.safe()), (Some(bad - 1), bad - 1), "{status}");
    assert!(program.terminate().success());
}
