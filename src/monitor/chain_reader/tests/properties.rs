//! Whatever a client says for a while: the reader asks it a bounded number of times, hands on chains only,
//! and is on the client's chain soon after its blocks link up.

use super::client::{Client, Reading, reading};
use crosscheck_devnet::chain::L2Block;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Something that a client does, and for how many tenths of a second it stays so.
#[derive(Clone, Debug)]
enum Turn {
    /// This block is its head.
    Adopt(usize),
    /// This block is its head after this many requests.
    AdoptAfter(usize, usize),
    /// It says that this block is at its height.
    Tell(usize),
    /// It says what is at each height.
    Honest,
}

fn turns() -> impl Strategy<Value = Vec<(Turn, u64)>> {
    let turn = prop_oneof![
        3 => (0..100_usize).prop_map(Turn::Adopt),
        3 => (0..100_usize, 1..20_usize).prop_map(|(block, after)| Turn::AdoptAfter(block, after)),
        4 => (0..100_usize).prop_map(Turn::Tell),
        2 => Just(Turn::Honest),
    ];
    proptest::collection::vec((turn, 0..60_u64), 1..25)
}

/// Three branches: one from height 1 on, and two from heights 3 and 5 of it.
fn tree(client: &Client) -> Vec<Arc<L2Block>> {
    let mut blocks = Vec::new();
    let grow = |blocks: &mut Vec<_>, count| {
        for _ in 0..count {
            blocks.push(client.extend_with_log(0));
        }
    };
    grow(&mut blocks, 8);
    for at in [2, 4] {
        blocks.push(client.replace(&blocks[at].clone()));
        grow(&mut blocks, 5);
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_reader_converges_on_the_chain_and_never_loops(turns in turns()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = Client::new();
            let blocks = tree(&client);
            let block = |index: usize| &blocks[index % blocks.len()];
            client.adopt(block(7));
            let Reading { mut heard, health, .. } = reading(&client);
            for (turn, tenths) in turns {
                match turn {
                    Turn::Adopt(index) => client.adopt(block(index)),
                    Turn::AdoptAfter(index, requests) => client.adopt_after(requests, block(index)),
                    Turn::Tell(index) => client.tell_at(block(index).number(), Some(Arc::clone(block(index)))),
                    Turn::Honest => (0..20).for_each(|number| client.tell_at(number, None)),
                }
                let asked = client.requests_in(Duration::from_millis(100 * tenths)).await;
                // A look: the tip, the heads, up to nine blocks, and eight turns of at most three requests a
                // height.
                let looks = tenths / 10 + 2;
                assert!(asked as u64 <= looks * 300, "{asked} requests in {tenths} tenths of a second");
            }
            (0..20).for_each(|number| client.tell_at(number, None));
            client.adopt(block(7));
            tokio::time::sleep(Duration::from_secs(30)).await;
            client.adopt(block(7));
            tokio::time::sleep(Duration::from_secs(30)).await;
            let expected: Vec<_> = (0..=8).map(|number| client.canonical(number)).collect();
            assert_eq!(heard.replay(&[]), expected);
            assert!(health.reasons().is_empty(), "{:?}", health.reasons());
        });
    }
}
