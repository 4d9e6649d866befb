//! A ledger is about the chains of one genesis each.

use super::*;

#[tokio::test]
async fn the_first_reported_genesis_binds_the_ledger_across_restarts() {
    let dir = TempDir::new().unwrap();
    let first = ledger(&dir).await;
    let (ours, theirs) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let by_node = GenesisSource::RollupNode;
    assert_eq!(first.bind_genesis(chain(), by_node, ours).await.unwrap(), ours);
    assert_eq!(first.bind_genesis(chain(), by_node, theirs).await.unwrap(), ours);
    first.close().await;
    let second = ledger(&dir).await;
    assert_eq!(second.bind_genesis(chain(), by_node, theirs).await.unwrap(), ours);
    assert_eq!(second.bind_genesis(chain(), by_node, ours).await.unwrap(), ours);
    // Another chain, and block 0 of a chain that was no rollup at first, are bound by themselves.
    assert_eq!(second.bind_genesis(ChainId::from(902), by_node, theirs).await.unwrap(), theirs);
    assert_eq!(second.bind_genesis(chain(), GenesisSource::Execution, theirs).await.unwrap(), theirs);
}
