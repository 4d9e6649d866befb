//! [`Supersim`]: two real interop chains, each an anvil, and the proxy that checks messages before they reach
//! one.

use super::Node;
use crate::npm;
use crate::program::eventually;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to end its chains when it is told to.
const GRACE: Duration = Duration::from_secs(10);

/// One chain of it.
pub(crate) struct Chain {
    pub(crate) id: u64,
    /// Where its users send transactions: refuses those that would execute what is not a message.
    pub(crate) proxy: Node,
    /// The anvil behind, which includes whatever it is sent.
    pub(crate) inner: Node,
}

/// A running supersim. Ends when it is dropped, and its chains with it.
pub(crate) struct Supersim {
    program: Child,
    /// Whatever it and its chains write, its output among it.
    dir: TempDir,
}

impl Supersim {
    /// Starts two chains, 901 and 902, on free ports of loopback, and waits until both have made a block.
    pub(crate) async fn start() -> (Self, [Chain; 2]) {
        let dir = TempDir::new().unwrap();
        let output = File::create(dir.path().join("output")).unwrap();
        let anvil = npm::installed("@foundry-rs/anvil-linux-amd64/bin/anvil");
        let mut path = anvil.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let program = Command::new(npm::installed("supersim/bin/supersim"))
            .args(["--l1.port", "0", "--l2.starting.port", "0", "--admin.port", "0", "--logs.directory"])
            .arg(dir.path())
            .env("PATH", path)
            .env("HOME", dir.path())
            .env("TMPDIR", dir.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("supersim starts");
        let mut supersim = Self { program, dir };
        let chains = [supersim.chain(901).await, supersim.chain(902).await];
        (supersim, chains)
    }

    async fn chain(&mut self, id: u64) -> Chain {
        let announced = format!("ChainID: {id}  RPC: ");
        let proxy = self.url(id, "output", &announced).await;
        let inner = self.url(id, &format!("anvil-{id}.log"), "Listening on ").await;
        let chain = Chain { id, proxy: Node::new(&proxy), inner: Node::new(&inner) };
        eventually(&format!("chain {id} of supersim to make a block"), async || {
            (chain.proxy.head().await?.number > 0).then_some(())
        })
        .await;
        chain
    }

    /// The address that stands in a file behind some words, once it does.
    async fn url(&mut self, chain: u64, file: &str, words: &str) -> String {
        let path = self.dir.path().join(file);
        let output = self.dir.path().join("output");
        let program = &mut self.program;
        eventually(&format!("the address of chain {chain} in supersim's {file}"), || {
            if let Some(status) = program.try_wait().unwrap() {
                panic!("supersim ended ({status}): {}", std::fs::read_to_string(&output).unwrap());
            }
            let address = address_behind(words, &path);
            async { address }
        })
        .await
    }

    /// The chains that it runs.
    fn children(&self) -> Vec<String> {
        let parent = self.program.id().to_string();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|process| process.file_name().into_string().ok())
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|id| parent_of(id).is_some_and(|found| found == parent))
            .collect()
    }
}

impl Drop for Supersim {
    /// Asked to end, it ends its chains first. Only if it does not are they ended for it.
    fn drop(&mut self) {
        let _asked = Command::new("kill").args(["-TERM", &self.program.id().to_string()]).status();
        let since = Instant::now();
        while since.elapsed() < GRACE {
            if self.program.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let children = self.children();
        let _killed = self.program.kill();
        let _reaped = self.program.wait();
        let _killed = Command::new("kill").arg("-KILL").args(children).status();
    }
}

/// `<address>` of the first `<words><address>` in a file, as the URL of an HTTP server.
fn address_behind(words: &str, path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let (_, rest) = text.split_once(words)?;
    // What is not ended yet may be cut short.
    let (address, _) = rest.split_once(|c: char| !c.is_ascii_alphanumeric() && !".:/".contains(c))?;
    Some(if address.starts_with("http") { address.to_owned() } else { format!("http://{address}") })
}

/// The parent of a process, from `/proc/<id>/stat`: the second field behind the name in parentheses.
fn parent_of(id: &str) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(1).map(str::to_owned)
}
