//! [`OurNode`]: Crosscheck's network task on loopback, in a process of its own: the program
//! `crosscheck-peer`.

use crate::blocks::{CHAIN, Version};
use alloy_primitives::{Address, B256};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../Cargo.toml");

/// The variable that names the program, where it has been built already.
const BUILT: &str = "CROSSCHECK_PEER";

/// What the node says.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// A block was accepted.
    Accepted {
        /// The topic's name.
        topic: String,
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// A frame was refused, for a reason of this name.
    Refused(String),
}

/// A running node. It ends when it is dropped.
pub struct OurNode {
    /// Where it listens, with its peer id.
    pub addr: String,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl OurNode {
    /// Builds the program, if that has to be done, and starts it. Its sequencer is `signer`; it stays
    /// connected to `peer`, if any.
    pub async fn start(signer: Address, peer: Option<&str>) -> Self {
        let mut command = program();
        command.args([CHAIN.to_string(), signer.to_string()]).args(peer);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("cargo runs");
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        // No deadline: a build may come first.
        let line = output.next_line().await.unwrap().expect("the program builds and listens");
        let addr = line.strip_prefix("listening ").expect("the address first").to_owned();
        Self { addr, input, output, _process: process }
    }

    /// Publishes a payload, which the node takes apart, encodes again and signs with the key.
    pub async fn publish(&mut self, version: Version, secret: &B256, payload: &[u8]) {
        let line = format!("publish {} {secret} 0x{}\n", topic(version), hex::encode(payload));
        self.input.write_all(line.as_bytes()).await.unwrap();
    }

    /// What it says next.
    pub async fn next(&mut self) -> Word {
        let line = crate::in_time("a word of Crosscheck's", self.output.next_line()).await;
        let line = line.unwrap().expect("the node runs");
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["accepted", topic, number, hash] => Word::Accepted {
                topic: (*topic).to_owned(),
                number: number.parse().unwrap(),
                hash: hash.parse().unwrap(),
            },
            ["refused", _, reason] => Word::Refused((*reason).to_owned()),
            _ => panic!("{line:?} is nothing that the node says"),
        }
    }
}

/// The program, or cargo, which builds and runs it.
fn program() -> Command {
    if let Some(built) = std::env::var_os(BUILT) {
        return Command::new(built);
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked", "--manifest-path", WORKSPACE]);
    cargo.args(["-p", "crosscheck-peer", "--"]);
    cargo
}

/// The topic's name on our side.
pub const fn topic(version: Version) -> &'static str {
    match version {
        Version::V3 => "blocksv3",
        Version::V4 => "blocksv4",
    }
}
