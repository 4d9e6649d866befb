//! [`NetProgram`]: `crosscheck net` in a process of its own, and what it prints.

use crate::arrivals::Heard;
use crate::block_maker::{CHAIN, attester, sequencer};
use crosscheck_p2p::{Multiaddr, Topic};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::mpsc;

/// A running program.
pub(crate) struct NetProgram {
    child: Child,
    /// Where it listens, with its id.
    pub(crate) addr: Multiaddr,
    /// Each ends with its stream.
    readers: [JoinHandle<Vec<String>>; 2],
}

/// How a program ended.
pub(crate) struct NetProgramEnd {
    pub(crate) is_success: bool,
    /// What it complained of.
    pub(crate) complaints: Vec<String>,
}

impl NetProgram {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(node: usize, peers: &[Multiaddr], heard: mpsc::Sender<Heard>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CROSSCHECK_")) {
            command.env_remove(name);
        }
        command.args(["net", "--json", &format!("--chain={CHAIN}")]);
        command.arg(format!("--signer={}", sequencer().address()));
        command.arg(format!("--attester={}", attester().address()));
        command.args(peers.iter().map(|peer| format!("--peer={peer}")));
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let printed = BufReader::new(child.stdout.take().unwrap());
        let mut complained = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        complained.read_line(&mut first).unwrap();
        let addr =
            first.trim().split_once("listening at ").unwrap_or_else(|| panic!("{first}")).1.parse().unwrap();
        let events = std::thread::spawn(move || {
            for line in printed.lines() {
                let told = told(node, &serde_json::from_str(&line.unwrap()).unwrap());
                if told.is_some_and(|told| heard.blocking_send(told).is_err()) {
                    break;
                }
            }
            Vec::new()
        });
        let complaints = std::thread::spawn(move || complained.lines().map_while(Result::ok).collect());
        Self { child, addr, readers: [events, complaints] }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end, and waits for it.
    pub(crate) fn end(mut self) -> NetProgramEnd {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let is_success = self.child.wait().unwrap().success() && told.success();
        let complaints = self.readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        NetProgramEnd { is_success, complaints }
    }
}

/// What a printed event tells.
fn told(node: usize, event: &Value) -> Option<Heard> {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    match event["event"].as_str()? {
        "block" => {
            let topic: Topic = text("topic").parse().unwrap();
            Some(Heard::Block { node, topic, number: event["number"].as_u64().unwrap(), at: Instant::now() })
        }
        "refused" => Some(Heard::Refused { node, reason: text("reason") }),
        _ => None,
    }
}
