//! A reader over an L1 in memory that counts what it is asked.

use super::super::l1_chain::tests::{child, first};
use super::*;
use std::sync::atomic::AtomicBool;
use tokio::sync::Notify;
use tokio::task::JoinSet;

#[derive(Clone, Default)]
struct L1(Arc<State>);

#[derive(Default)]
struct State {
    chain: Mutex<Vec<Header>>,
    all: Mutex<Vec<Header>>,
    asked: Mutex<Vec<&'static str>>,
    is_down: AtomicBool,
    /// Whether an answer waits to be let go.
    is_held: AtomicBool,
    go: Notify,
}

impl L1 {
    fn with(length: usize) -> Self {
        let l1 = Self::default();
        l1.push(first(100));
        l1.grow(length - 1, 0);
        l1
    }

    fn push(&self, header: Header) {
        self.0.chain.lock().push(Arc::clone(&header));
        self.0.all.lock().push(header);
    }

    fn grow(&self, blocks: usize, branch: u8) {
        for _ in 0..blocks {
            let head = Arc::clone(self.0.chain.lock().last().unwrap());
            self.push(child(&head, branch));
        }
    }

    fn reorg(&self, depth: usize) {
        let mut chain = self.0.chain.lock();
        let kept = chain.len() - depth;
        chain.truncate(kept);
        drop(chain);
        self.grow(depth + 1, 1);
    }

    fn at(&self, number: u64) -> Header {
        let chain = self.0.chain.lock();
        Arc::clone(chain.iter().find(|header| header.number() == number).unwrap())
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.asked.lock())
    }

    async fn answer<T>(
        &self,
        asked: &'static str,
        answer: impl FnOnce() -> T + Send,
    ) -> Result<T, SourceError> {
        self.0.asked.lock().push(asked);
        if self.0.is_held.load(Ordering::SeqCst) {
            self.0.go.notified().await;
        }
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err(SourceError::Refused {
                endpoint: "http://127.0.0.1:1".parse().unwrap(),
                method: "",
                code: 0,
                message: "down".to_owned(),
            });
        }
        Ok(answer())
    }
}

impl L1Source for L1 {
    async fn latest(&self) -> Result<Header, SourceError> {
        self.answer("latest", || Arc::clone(self.0.chain.lock().last().unwrap())).await
    }

    async fn by_hash(&self, hash: B256) -> Result<Option<Header>, SourceError> {
        self.answer("by hash", || self.0.all.lock().iter().find(|header| header.hash() == hash).cloned())
            .await
    }

    async fn by_number(&self, number: u64) -> Result<Option<Header>, SourceError> {
        let find = || self.0.chain.lock().iter().find(|header| header.number() == number).cloned();
        self.answer("by number", find).await
    }
}

fn reader(l1: &L1) -> L1Reader<L1> {
    L1Reader::of(l1.clone(), FRESH)
}

#[tokio::test(start_paused = true)]
async fn concurrent_questions_share_one_request() {
    let l1 = L1::with(10);
    let reader = reader(&l1);
    let head = reader.head().await.unwrap();
    l1.grow(3, 0);
    tokio::time::advance(FRESH).await;
    assert_eq!(reader.head().await.unwrap(), l1.at(112));
    for _ in 0..100 {
        for number in 109..=112 {
            assert_eq!(reader.at(l1.at(number).id()).await.unwrap(), Some(l1.at(number)));
        }
    }
    assert_eq!(l1.asked(), ["latest", "latest", "by hash", "by hash"]);
    assert!(reader.has(head.id()));
}

#[tokio::test(start_paused = true)]
async fn a_block_above_the_head_is_requested() {
    let l1 = L1::with(10);
    let reader = reader(&l1);
    reader.head().await.unwrap();
    l1.grow(1, 0);
    assert_eq!(reader.at(l1.at(110).id()).await.unwrap(), Some(l1.at(110)));
    assert_eq!(reader.at(BlockNumHash { number: 111, hash: B256::ZERO }).await.unwrap(), None);
    assert_eq!(l1.asked(), ["latest", "latest", "latest"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_block_at_a_height_is_confirmed_with_a_new_request() {
    let l1 = L1::with(10);
    let reader = reader(&l1);
    reader.head().await.unwrap();
    l1.grow(3, 0);
    reader.refresh().await.unwrap();
    let old = l1.at(112);
    l1.reorg(2);
    assert_eq!(reader.at(old.id()).await.unwrap(), Some(Arc::clone(&old)), "some seconds old");
    assert_eq!(reader.reorg_count(), 0);
    assert_eq!(reader.at(l1.at(112).id()).await.unwrap(), Some(l1.at(112)));
    assert_eq!(reader.at(old.id()).await.unwrap(), Some(l1.at(112)));
    assert_eq!(reader.reorg_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn old_blocks_are_requested_once() {
    let l1 = L1::with(200);
    let reader = reader(&l1);
    for _ in 0..3 {
        assert_eq!(reader.at(l1.at(150).id()).await.unwrap(), Some(l1.at(150)));
    }
    assert_eq!(l1.asked(), ["latest", "by number"]);
    let other = BlockNumHash { number: 150, hash: B256::ZERO };
    assert_eq!(reader.at(other).await.unwrap(), Some(l1.at(150)));
    assert_eq!(l1.asked(), ["latest", "by number"], "another block was claimed");
    let other = BlockNumHash { number: 120, hash: B256::ZERO };
    assert_eq!(reader.at(other).await.unwrap(), Some(l1.at(120)));
    assert_eq!(l1.asked(), ["by number", "latest", "by number"], "that it is another one is looked up now");
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_a_request_and_its_failure() {
    let l1 = L1::with(10);
    let reader = reader(&l1);
    for is_down in [false, true] {
        l1.0.is_down.store(is_down, Ordering::SeqCst);
        l1.0.is_held.store(true, Ordering::SeqCst);
        let mut looks = JoinSet::new();
        for _ in 0..5 {
            let reader = reader.clone();
            looks.spawn(async move { reader.refresh().await.is_err() });
        }
        // One was under way before the others could ask: what comes of it is too old for them.
        tokio::task::yield_now().await;
        l1.0.is_held.store(false, Ordering::SeqCst);
        l1.0.go.notify_one();
        assert_eq!(looks.join_all().await, [is_down; 5]);
        assert!(l1.asked().len() <= 2, "five askers are no five requests");
    }
}

#[tokio::test(start_paused = true)]
async fn known_blocks_become_stale_while_l1_is_down() {
    let l1 = L1::with(10);
    let reader = reader(&l1);
    reader.head().await.unwrap();
    l1.0.is_down.store(true, Ordering::SeqCst);
    assert!(reader.at(l1.at(109).id()).await.is_ok());
    assert!(reader.refresh().await.is_err());
    tokio::time::advance(FRESH).await;
    assert!(reader.at(l1.at(109).id()).await.is_err());
    l1.0.is_down.store(false, Ordering::SeqCst);
    assert!(reader.at(l1.at(109).id()).await.is_ok());
}
