//! What L1's node has reported of blob base fees.

use super::*;

#[tokio::test]
async fn blob_fractions_survive_a_restart_and_are_replaced_as_a_whole() {
    let dir = TempDir::new().unwrap();
    let fractions = |list: &[(u64, u64)]| list.iter().map(|(since, it)| (UnixSeconds(*since), *it)).collect();
    let first = ledger(&dir).await;
    assert!(first.blob_fractions(1).await.unwrap().is_empty());
    first.keep_blob_fractions(1, &fractions(&[(5, 10), (9, 20), (u64::MAX, 30)])).await.unwrap();
    first.keep_blob_fractions(2, &fractions(&[(5, 40)])).await.unwrap();
    first.close().await;

    let second = ledger(&dir).await;
    assert_eq!(second.blob_fractions(1).await.unwrap(), fractions(&[(5, 10), (9, 20)]));
    second.keep_blob_fractions(1, &fractions(&[(5, 10), (11, 20)])).await.unwrap();
    assert_eq!(second.blob_fractions(1).await.unwrap(), fractions(&[(5, 10), (11, 20)]));
    assert_eq!(second.blob_fractions(2).await.unwrap(), fractions(&[(5, 40)]));
}
