//! [`Node`]: a JSON-RPC server of a chain, asked as a wallet would ask it.

use crate::program::{DEADLINE, eventually};
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::rpc::types::{Log, TransactionReceipt};
use crosscheck_devnet::keys::{Call, Wallet};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Far above the base fee of a chain that does next to nothing.
const MAX_FEE: u128 = 10_000_000_000;
/// More than any call of these tests takes.
const GAS_LIMIT: u64 = 1_000_000;

/// A block, as far as the tests care.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) hash: B256,
    #[serde(with = "alloy::serde::quantity")]
    pub(crate) number: u64,
    #[serde(with = "alloy::serde::quantity")]
    pub(crate) timestamp: u64,
}

/// What became of a transaction.
pub(crate) struct Mined {
    pub(crate) block: Head,
    pub(crate) succeeded: bool,
    pub(crate) logs: Vec<Log>,
}

/// A JSON-RPC server over HTTP.
pub(crate) struct Node {
    pub(crate) url: String,
    client: HttpClient,
}

impl Node {
    pub(crate) fn new(url: &str) -> Self {
        let client = HttpClientBuilder::default().request_timeout(DEADLINE).build(url).unwrap();
        Self { url: url.to_owned(), client }
    }

    /// Calls a method; the server may answer with an error.
    ///
    /// # Panics
    /// If no server answers.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        parameters: &[Value],
    ) -> Result<T, ErrorObjectOwned> {
        let mut params = ArrayParams::new();
        for parameter in parameters {
            params.insert(parameter).unwrap();
        }
        match self.client.request(method, params).await {
            Ok(answer) => Ok(answer),
            Err(ClientError::Call(refusal)) => Err(refusal),
            Err(error) => panic!("{} did not answer {method}: {error}", self.url),
        }
    }

    /// Calls a method that the server must answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &str, parameters: &[Value]) -> T {
        self.ask(method, parameters).await.unwrap_or_else(|refusal| panic!("{method}: {refusal}"))
    }

    /// The newest block.
    pub(crate) async fn head(&self) -> Option<Head> {
        self.ask("eth_getBlockByNumber", &["latest".into(), false.into()]).await.ok()
    }

    /// The block at a height.
    pub(crate) async fn block(&self, number: u64) -> Head {
        self.call("eth_getBlockByNumber", &[json!(U64::from(number)), false.into()]).await
    }

    /// The runtime code of a contract.
    pub(crate) async fn code(&self, address: Address) -> Bytes {
        self.call("eth_getCode", &[json!(address), "latest".into()]).await
    }

    /// Gives an account more than it will ever spend. For anvil itself, not for its proxy.
    pub(crate) async fn fund(&self, account: Address) {
        let enough = U256::from(10_u64.pow(18));
        let _null: Value = self.call("anvil_setBalance", &[json!(account), json!(enough)]).await;
    }

    /// Signs a call and sends it. The server may refuse it.
    pub(crate) async fn send(&self, wallet: &Wallet, call: Call) -> Result<B256, ErrorObjectOwned> {
        let nonce: U64 =
            self.call("eth_getTransactionCount", &[json!(wallet.address()), "pending".into()]).await;
        let call = Call { nonce: nonce.to(), gas_limit: GAS_LIMIT, max_fee: MAX_FEE, ..call };
        let signed = wallet.sign_call(call).unwrap();
        self.ask("eth_sendRawTransaction", &[json!(signed)]).await
    }

    /// What became of a transaction, once it is in a block.
    pub(crate) async fn mined(&self, transaction: B256) -> Mined {
        let receipt = eventually(&format!("the receipt of {transaction}"), async || {
            let receipt: Option<TransactionReceipt> =
                self.ask("eth_getTransactionReceipt", &[json!(transaction)]).await.ok()?;
            receipt.filter(|receipt| receipt.block_number.is_some())
        })
        .await;
        Mined {
            block: self.block(receipt.block_number.unwrap()).await,
            succeeded: receipt.status(),
            logs: receipt.logs().to_vec(),
        }
    }
}
