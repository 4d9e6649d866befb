//! The real binary, run as a user runs it, and talked to over its sockets.

use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::HttpClientBuilder;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it: far more than it ever takes, however busy the
/// machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(300);

/// The binary, with no settings from the environment.
pub(crate) fn crosscheck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CROSSCHECK_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A program that is ended when the test lets go of it.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it, its standard error going to a file. It may take its time to end.
    pub(crate) fn start(arguments: &[&str], log: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut program = crosscheck(arguments);
        program.env("CROSSCHECK_SHUTDOWN_TIMEOUT", "120s");
        let child = program.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self(child)
    }

    /// Starts it so that a limit on the size of files makes its writing fail and does not end it. What it
    /// logs comes through a pipe, which has no size.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_that_may_be_limited(arguments: &[&str], log: &Path) -> Self {
        let mut log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let own = crosscheck(arguments);
        let mut program = Command::new("sh");
        // What a shell ignores, the program that takes its place ignores, too.
        program.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(own.get_program()).args(own.get_args());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            };
        }
        program.env("CROSSCHECK_SHUTDOWN_TIMEOUT", "120s").stdin(Stdio::null());
        let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut said, &mut log).unwrap());
        Self(child)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Ends it without warning, as kill -9 does.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.end_by("TERM")
    }

    /// Sends it a signal that ends it, and waits for that.
    pub(crate) fn end_by(mut self, signal: &str) -> ExitStatus {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let since = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(since.elapsed() < DEADLINE, "it does not end when told to");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(since.elapsed() < DEADLINE, "gave up waiting for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Calls a JSON-RPC method. `None`: there was no answer.
pub(crate) async fn call(url: &str, method: &str, parameters: &[Value]) -> Option<Value> {
    let client = HttpClientBuilder::default().request_timeout(DEADLINE).build(url).unwrap();
    let mut params = ArrayParams::new();
    for parameter in parameters {
        params.insert(parameter).unwrap();
    }
    client.request(method, params).await.ok()
}

/// Waits until a devnet is paused at a block: from then on chains and clock stand still.
pub(crate) async fn paused_at(dir: &Path, block: u64) {
    let file = dir.join("paused");
    eventually(&format!("the devnet to be paused at block {block}"), || async {
        (std::fs::read_to_string(&file).ok()? == format!("{block}\n")).then_some(())
    })
    .await;
}

/// Lets a devnet that is paused continue.
pub(crate) fn go_on(dir: &Path) {
    std::fs::remove_file(dir.join("paused")).unwrap();
}

/// Waits until a running Crosscheck has a peer in its mesh on every chain: what is published next reaches it.
pub(crate) async fn joined(rpc: &str, chains: &[u64]) {
    for chain in chains {
        eventually(&format!("the gossip of chain {chain} to be joined"), || async {
            let peers = call(rpc, "crosscheck_peers", &[(*chain).into()]).await?;
            peers.as_array()?.iter().any(is_meshed).then_some(())
        })
        .await;
    }
}

/// Whether a peer that Crosscheck reports is in its mesh on the topics of unsafe blocks and of attestations.
fn is_meshed(peer: &Value) -> bool {
    let mesh = peer["mesh"].as_array();
    ["blocksv4", "cross-safe-blocksv1"]
        .iter()
        .all(|topic| mesh.is_some_and(|mesh| mesh.contains(&Value::from(*topic))))
}

/// A configuration that a devnet wrote.
pub(crate) struct Written(toml::Table);

impl Written {
    pub(crate) async fn wait_for(path: &Path) -> Self {
        let table = eventually("crosscheck.toml", || async {
            std::fs::read_to_string(path).ok()?.parse::<toml::Table>().ok()
        });
        Self(table.await)
    }

    pub(crate) fn rpc(&self) -> String {
        format!("http://{}", self.0["rpc"]["addr"].as_str().unwrap())
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.0["http"]["addr"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn rollup_node(&self, chain: &str) -> String {
        self.0["chains"][chain]["rollup_node"].as_str().unwrap().to_owned()
    }

    pub(crate) fn system_config(&self, chain: &str) -> String {
        self.0["chains"][chain]["system_config"].as_str().unwrap().to_owned()
    }

    /// Where the sequencer of a chain is found.
    pub(crate) fn sequencer(&self, chain: &str) -> String {
        self.0["chains"][chain]["p2p"]["static_peers"][0].as_str().unwrap().to_owned()
    }

    /// The file that the chains' time stands in.
    pub(crate) fn clock_file(&self) -> &str {
        self.0["clock"].as_str().unwrap().strip_prefix("file:").unwrap()
    }

    pub(crate) fn l1(&self) -> String {
        self.0["l1"]["execution"].as_str().unwrap().to_owned()
    }

    pub(crate) fn follow(&self) -> String {
        format!("http://{}", self.0["follow"]["addr"].as_str().unwrap())
    }

    pub(crate) fn execution(&self, chain: &str) -> String {
        self.0["chains"][chain]["execution"][0].as_str().unwrap().to_owned()
    }
}

/// Every audited block that the sidecar knows.
pub(crate) async fn attestations(rpc: &str) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    let mut after = Value::from(0);
    loop {
        let page = serde_json::json!({ "after": after, "limit": 500 });
        let answer = call(rpc, "crosscheck_attestations", &[page]).await?;
        all.extend(answer["attestations"].as_array()?.iter().cloned());
        if answer["next"].is_null() {
            return Some(all);
        }
        after = answer["next"].clone();
    }
}
