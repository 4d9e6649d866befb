//! The reader before clients whose answers are scripted, in paused time.

mod client;
mod properties;

use super::*;
use crate::audit::Heads;
use crate::telemetry::captured::Lines;
use client::{Client, Reading, Setting, chain_id, reading, reading_of, reading_within};

/// A minute of a client that says that block 3 is `O`, while its block 4 is built on `R`.
#[tokio::test(start_paused = true)]
async fn a_client_that_contradicts_itself_is_reported_once_and_nothing_is_dropped() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    let Reading { mut heard, health, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks(), [0, 1, 2, 3].map(|number| client.canonical(number)));

    let replacement = client.replace(&invalid);
    client.extend(2);
    client.tell_at(3, Some(Arc::clone(&invalid)));
    let (asked, since) = (client.requests(), lines.count(""));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(heard.is_empty(), "nothing is read, and nothing is dropped");
    assert!(client.requests() - asked < 1500, "{} requests in ten minutes", client.requests() - asked);
    assert_eq!(
        (lines.count("") - since, lines.count("WARN"), lines.count("reorg")),
        (1, 1, 0),
        "{}",
        lines.text()
    );
    let [reason] = health.reasons().try_into().unwrap();
    for part in ["chain 901", "contradicts itself", "block 4", "block 3", &invalid.hash.to_string()] {
        assert!(reason.contains(part) && lines.text().contains(part), "{part}: {reason}");
    }
    assert!(reason.contains(&replacement.hash.to_string()), "{reason}");

    client.tell_at(3, None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(heard.rewound(), Some(2));
    assert_eq!(heard.blocks(), [3, 4, 5].map(|number| client.canonical(number)));
    assert!(health.reasons().is_empty(), "{:?}", health.reasons());
    assert_eq!((lines.count("WARN"), lines.count("reorg")), (2, 1), "{}", lines.text());
}

/// As a plain node's client does when the chain finds `O` invalid, and replaces it by `R`.
#[tokio::test(start_paused = true)]
async fn the_branch_of_a_replaced_block_is_not_read_while_the_client_remains_on_it() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    client.extend(2);
    let Reading { mut heard, health, branches, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 6);
    let block = BlockNumHash { number: 3, hash: invalid.hash };
    branches.set(chain_id(), Some(StaleBranch { invalid: block, replaced_by: None }));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(heard.rewound(), Some(3), "what is built on an invalid block is dropped");
    client.extend(1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.is_empty() && health.reasons().is_empty(), "{:?}", health.reasons());
    branches.set(chain_id(), Some(StaleBranch { invalid: block, replaced_by: Some(B256::repeat_byte(7)) }));
    client.extend(2);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(heard.rewound(), Some(2));
    assert!(heard.is_empty(), "nothing of the branch is read");
    assert!(health.reasons()[0].contains(&invalid.hash.to_string()), "{:?}", health.reasons());
    assert_eq!(lines.count("reorg"), 2, "{}", lines.text());
    client.replace(&invalid);
    client.extend(1);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(heard.blocks(), [3, 4].map(|number| client.canonical(number)));
    assert!(health.reasons().is_empty(), "{:?}", health.reasons());
}

/// After a restart: an earlier run found a block invalid, and the nodes were not asked yet whether they are
/// on it.
#[tokio::test(start_paused = true)]
async fn nothing_is_read_until_it_is_known_whether_the_client_is_on_an_invalid_block() {
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    client.extend(2);
    let block = BlockNumHash { number: 3, hash: invalid.hash };
    let stale = StaleBranch { invalid: block, replaced_by: None };
    let branches = StaleBranches::default();
    branches.expect(chain_id(), stale);
    let Reading { mut heard, .. } =
        reading_of(&client, Setting { branches: branches.clone(), ..Setting::default() });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.is_empty());
    branches.set(chain_id(), Some(stale));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(heard.blocks().len(), 4, "up to the invalid block");
}

/// What an earlier run had read is not read again because the client remains on an invalid block.
#[tokio::test(start_paused = true)]
async fn nothing_is_read_of_a_client_on_an_invalid_block_below_the_start() {
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    client.extend(3);
    let hash = client.canonical(4);
    let start = StartPoint { cursor: Some(BlockNumHash { number: 4, hash }), retained: 1_000 };
    let branches = StaleBranches::default();
    let block = BlockNumHash { number: 3, hash: invalid.hash };
    branches.set(chain_id(), Some(StaleBranch { invalid: block, replaced_by: None }));
    let setting = Setting { branches: branches.clone(), start, ..Setting::default() };
    let Reading { mut heard, health, .. } = reading_of(&client, setting);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.is_empty());
    assert!(health.reasons()[0].contains("nothing above it is read"), "{:?}", health.reasons());
    branches.set(chain_id(), None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(heard.blocks(), [5, 6].map(|number| client.canonical(number)));
}

/// As op-supernode does to replace block 3.
#[tokio::test(start_paused = true)]
async fn a_client_that_its_node_moves_back_to_a_sibling_has_not_reorged() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    client.extend(1);
    let Reading { mut heard, health, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 5);
    client.take_back(Some((2, &|extra_data| *extra_data.last_mut().unwrap() ^= 0xff)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(heard.is_empty() && health.reasons().is_empty(), "{:?}", health.reasons());
    client.take_back(None);
    client.replace(&invalid);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((heard.rewound(), heard.blocks()), (Some(2), vec![client.canonical(3)]));
    assert_eq!((lines.count("WARN"), lines.count("reorg")), (1, 1), "{}", lines.text());
    // Any other sibling is one.
    client.take_back(Some((2, &|extra_data| *extra_data.last_mut().unwrap() ^= 1)));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.rewound(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_stale_block_deep_under_a_reorg_drops_nothing() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    client.extend(3);
    let Reading { mut heard, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 7);
    client.replace(&invalid);
    client.extend(5);
    client.tell_at(3, Some(Arc::clone(&invalid)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.is_empty());
    assert_eq!((lines.count("WARN"), lines.count("reorg")), (1, 0), "{}", lines.text());
    client.tell_at(3, None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((heard.rewound(), heard.blocks().len()), (Some(2), 6));
}

/// Its latest block is `R`, but by its height it is `O`.
#[tokio::test(start_paused = true)]
async fn a_tip_that_is_another_block_by_its_number_is_a_contradiction() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    let Reading { mut heard, health, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 4);
    client.replace(&invalid);
    client.tell_at(3, Some(Arc::clone(&invalid)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.is_empty());
    assert_eq!((lines.count("WARN"), lines.count("reorg")), (1, 0), "{}", lines.text());
    assert!(health.reasons()[0].contains("its latest block 3"), "{:?}", health.reasons());
}

#[tokio::test(start_paused = true)]
async fn successive_reorgs_during_a_read_are_followed() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    let old = client.extend(2);
    let Reading { mut heard, health, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 6);
    let replacement = client.replace(&invalid);
    let new = client.extend(3);
    // The chain alternates while it is read: after this many requests each.
    client.adopt_after(3, &old);
    client.adopt_after(5, &new);
    client.adopt_after(8, &replacement);
    client.adopt_after(12, &new);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(heard.replay(&[0, 1, 2]).last(), Some(&new.hash));
    assert!(health.reasons().is_empty(), "{:?}", health.reasons());
    assert_eq!(lines.count("contradicts"), 0, "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn a_gossiped_block_is_read_as_soon_as_the_client_has_it() {
    let client = Client::new();
    client.extend(2);
    let Reading { mut heard, hints, .. } = reading(&client);
    tokio::time::sleep(Duration::from_millis(10_050)).await;
    assert_eq!(heard.blocks().len(), 3);
    let next = client.build();
    hints.announce(chain_id(), BlockNumHash { number: next.number(), hash: next.hash });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(heard.is_empty());
    client.adopt(&next);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(heard.blocks(), [next.hash], "it is not left to the next look, a second after the last");
}

#[tokio::test(start_paused = true)]
async fn a_gossiped_block_that_never_comes_costs_a_few_requests() {
    let client = Client::new();
    client.extend(2);
    let Reading { hints, heard: _heard, .. } = reading(&client);
    tokio::time::sleep(Duration::from_millis(10_050)).await;
    let (asked, idle) = (client.requests(), client.requests_in(Duration::from_secs(60)).await);
    let next = client.build();
    hints.announce(chain_id(), BlockNumHash { number: next.number(), hash: next.hash });
    let after = client.requests_in(Duration::from_secs(60)).await;
    assert!(asked > 0 && after <= idle + 10, "{after} requests in a minute, {idle} without gossip");
}

/// A client that its node sends to the other branch twice in eight seconds.
#[tokio::test(start_paused = true)]
async fn a_client_that_goes_back_and_forth_is_reported_four_times_at_most() {
    let lines = Lines::capture();
    let client = Client::new();
    let invalid = client.extend_with_log(2);
    let Reading { mut heard, .. } = reading(&client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks().len(), 4);
    let replacement = client.replace(&invalid);
    for turn in 0..20 {
        client.adopt(if turn % 2 == 0 { &replacement } else { &invalid });
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(heard.rewound(), Some(2));
        assert_eq!(heard.blocks().len(), 1);
    }
    let reported = (lines.count("WARN"), lines.count("alternates between branches"));
    assert_eq!(reported, (4, 2), "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn a_latest_block_that_does_not_move_is_reported_once_until_the_next_one() {
    let lines = Lines::capture();
    let client = Client::new();
    client.extend(2);
    let stall = StallBounds { unsafe_: Duration::from_secs(60), ..StallBounds::LONG };
    let Reading { health, heard: _heard, .. } = reading_within(&client, stall);
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!((health.reasons().len(), lines.count("is not moving")), (0, 0), "{}", lines.text());
    tokio::time::sleep(Duration::from_secs(600)).await;
    let reasons = health.reasons();
    assert!(reasons[0].contains("the execution client's latest block has been block 2"), "{reasons:?}");
    assert_eq!(lines.count("head is not moving"), 1, "{}", lines.text());
    client.extend(1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((health.reasons().len(), lines.count("head is moving again")), (0, 1), "{}", lines.text());
}

/// In real time: SQLite works beside the runtime.
#[tokio::test]
async fn a_chain_of_another_genesis_than_the_ledgers_is_not_read() {
    let dir = tempfile::TempDir::new().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let client = Client::new();
    client.extend(2);
    let (found, bound) = (client.canonical(0), B256::repeat_byte(9));
    ledger.bind_genesis(chain_id(), GenesisSource::Execution, bound).await.unwrap();
    let mut other = reading_of(&client, Setting { genesis: Some(ledger), ..Setting::default() });
    let reported = format!("its block 0 is {found} by its execution clients and {bound} by the ledger");
    let refused = async {
        while !other.health.reasons().iter().any(|reason| reason.contains(&reported)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), refused).await.unwrap();
    assert!(other.heard.is_empty());
    let fresh = Ledger::open(&dir.path().join("fresh.sqlite")).await.unwrap();
    let mut own = reading_of(&client, Setting { genesis: Some(fresh), ..Setting::default() });
    let read = async {
        while own.heard.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), read).await.unwrap();
}

/// The block that the chain's network begins with, by what is built in.
#[tokio::test(start_paused = true)]
async fn a_chain_that_is_not_the_configured_network_is_not_read() {
    let lines = Lines::capture();
    let client = Client::new();
    client.extend(2);
    let found = client.canonical(1);
    let other = Some(BlockNumHash { number: 1, hash: B256::repeat_byte(9) });
    let mut reading = reading_of(&client, Setting { origin: other, ..Setting::default() });
    tokio::time::sleep(Duration::from_secs(60)).await;
    let reported = format!("its block 1 is {found} by its execution clients and {}", B256::repeat_byte(9));
    let reasons = reading.health.reasons();
    assert!(reasons.iter().any(|reason| reason.contains(&reported)), "{reasons:?}");
    assert!(reading.heard.is_empty());
    assert_eq!(lines.count("WARN"), 1, "{}", lines.text());
    for origin in [BlockNumHash { number: 1, hash: found }, BlockNumHash { number: 70, hash: found }] {
        let mut own = reading_of(&client, Setting { origin: Some(origin), ..Setting::default() });
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!own.heard.is_empty(), "{origin:?}: {:?}", own.health.reasons());
    }
}

/// As at each start, until the rollup node has been heard.
#[tokio::test(start_paused = true)]
async fn heads_that_are_awaited_are_a_warning_once_that_lasts() {
    let lines = Lines::capture();
    let (client, heads) = (Client::new(), Heads::new([chain_id()]));
    let answers = heads.answers(chain_id()).unwrap();
    let source = HeadSource::Node { answers, heads };
    let reading = reading_of(&client, Setting { heads: Some(source), ..Setting::default() });
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(reading.health.reasons(), ["chain 901 monitor: its heads are not known yet"]);
    assert_eq!((lines.count("INFO"), lines.count("WARN")), (1, 0), "{}", lines.text());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((lines.count("INFO"), lines.count("WARN")), (1, 1), "{}", lines.text());
    assert_eq!(lines.count("chain cannot be read"), 2, "{}", lines.text());
}

/// After a time away for longer than messages are kept, what came meanwhile is not read. That is said, once.
#[tokio::test(start_paused = true)]
async fn blocks_that_are_skipped_are_reported_once() {
    let lines = Lines::capture();
    let client = Client::new();
    client.extend(6);
    let cursor = Some(BlockNumHash { number: 1, hash: client.canonical(1) });
    let start = StartPoint { cursor, retained: 2 };
    let Reading { mut heard, metrics, .. } = reading_of(&client, Setting { start, ..Setting::default() });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(heard.blocks(), [4, 5, 6].map(|number| client.canonical(number)));
    assert_eq!(lines.count("blocks skipped"), 1, "{}", lines.text());
    assert!(lines.text().contains("from=2 to=3"), "{}", lines.text());
    let counted = "crosscheck_blocks_skipped_total{chain_id=\"901\"} 2";
    assert!(metrics.shared.render().unwrap().contains(counted));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(lines.count("blocks skipped"), 1, "{}", lines.text());
}
