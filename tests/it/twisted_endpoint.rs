//! [`TwistedEndpoint`]: a server in front of an endpoint, which passes on what it is asked and changes some
//! answers.

use crate::program::DEADLINE;
use jsonrpsee::core::client::{ClientT, Error as ClientError};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::server::{RpcModule, ServerBuilder, ServerHandle};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is asked of endpoints.
const METHODS: [&str; 15] = [
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getBlockReceipts",
    "eth_getTransactionReceipt",
    "eth_getStorageAt",
    "web3_clientVersion",
    "optimism_syncStatus",
    "optimism_rollupConfig",
    "optimism_dependencySet",
    "optimism_safeHeadAtL1Block",
    "optimism_outputAtBlock",
    "optimism_version",
    "supernode_syncStatus",
    "superroot_atTimestamp",
];

/// What is done to a method.
#[derive(Clone, Debug)]
pub(crate) enum Twist {
    /// This is answered.
    Answer(Value),
    /// It is not served.
    Missing,
    /// The value at this pointer of the answer is this one.
    Change(&'static str, Value),
    /// Of blocks by number: this height is the latest.
    Behind(u64),
    /// It is answered so much later.
    Late(Duration),
}

struct Passage {
    endpoint: HttpClient,
    twists: Mutex<BTreeMap<&'static str, Twist>>,
}

/// A server in front of an endpoint. It ends when dropped.
pub(crate) struct TwistedEndpoint {
    pub(crate) url: String,
    passage: Arc<Passage>,
    _server: ServerHandle,
}

impl TwistedEndpoint {
    /// A server that changes nothing yet.
    pub(crate) async fn before(endpoint: &str) -> Self {
        let endpoint = HttpClientBuilder::default().request_timeout(DEADLINE).build(endpoint).unwrap();
        let passage = Arc::new(Passage { endpoint, twists: Mutex::default() });
        let mut module = RpcModule::from_arc(Arc::clone(&passage));
        for name in METHODS {
            module
                .register_async_method(name, move |params, passage, _| async move {
                    passage.pass(name, &params).await
                })
                .unwrap();
        }
        let server = ServerBuilder::new().build("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        Self { url, passage, _server: server.start(module) }
    }

    /// Answers so from now on. `None`: as the endpoint does.
    pub(crate) fn twist(&self, method: &'static str, twist: Option<Twist>) {
        let mut twists = self.passage.twists.lock().unwrap();
        match twist {
            Some(twist) => twists.insert(method, twist),
            None => twists.remove(method),
        };
    }
}

impl Passage {
    async fn pass(&self, method: &'static str, params: &Params<'_>) -> Result<Value, ErrorObjectOwned> {
        let twist = self.twists.lock().unwrap().get(method).cloned();
        match &twist {
            Some(Twist::Answer(answer)) => return Ok(answer.clone()),
            Some(Twist::Missing) => {
                return Err(ErrorObjectOwned::owned(-32_601, "Method not found", None::<()>));
            }
            Some(Twist::Late(time)) => tokio::time::sleep(*time).await,
            Some(Twist::Change(..) | Twist::Behind(_)) | None => {}
        }
        let mut params = params.parse::<Option<Vec<Value>>>().unwrap().unwrap_or_default();
        if let Some(Twist::Behind(height)) = twist {
            if params[0] == "latest" {
                params[0] = format!("{height:#x}").into();
            } else if number(&params[0]).is_some_and(|asked| asked > height) {
                return Ok(Value::Null);
            }
        }
        let mut passed = ArrayParams::new();
        for param in params {
            passed.insert(param).unwrap();
        }
        let answer: Result<Value, ClientError> = self.endpoint.request(method, passed).await;
        let mut answer = answer.map_err(|error| match error {
            ClientError::Call(refusal) => refusal,
            other => ErrorObjectOwned::owned(-32_000, other.to_string(), None::<()>),
        })?;
        if let Some(Twist::Change(pointer, value)) = twist {
            *answer.pointer_mut(pointer).unwrap() = value;
        }
        Ok(answer)
    }
}

/// A number in hexadecimal, which no label is.
fn number(param: &Value) -> Option<u64> {
    u64::from_str_radix(param.as_str()?.strip_prefix("0x")?, 16).ok()
}
