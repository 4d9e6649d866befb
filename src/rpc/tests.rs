//! Every method, called over a socket.

mod cold;
mod interop;
mod messages;
mod own_answers;
mod places;
mod readers;
mod server;
mod super_roots;
mod supernode;
mod supervisor;
mod world;

use std::collections::BTreeSet;
use world::{Setup, World};

const DOCUMENT: &str = include_str!("../../docs/RPC.md");

#[tokio::test]
async fn the_document_names_every_method_and_no_other() {
    let world = World::start(Setup { admin: true, ..Setup::default() }).await;
    let served: BTreeSet<&str> = world.methods.iter().copied().collect();
    let is_method = |word: &&str| {
        let (namespace, name) = word.split_once('_').unwrap_or_default();
        let namespaces: BTreeSet<&str> =
            served.iter().filter_map(|method| Some(method.split_once('_')?.0)).collect();
        namespaces.contains(namespace) && name.chars().all(char::is_alphanumeric) && !name.is_empty()
    };
    let named: BTreeSet<&str> = DOCUMENT.split('`').skip(1).step_by(2).filter(is_method).collect();
    // What notifications are sent as is a name of its own.
    let named: BTreeSet<&str> = named.into_iter().filter(|name| *name != "crosscheck_event").collect();
    assert_eq!(named, served);
}
