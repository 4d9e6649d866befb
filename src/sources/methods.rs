//! [`METHODS`]: every method that the endpoints are asked for, once, with what is lost where it is not
//! served.
//!
//! A test compares the list with the calls in this room. No I/O.

use super::{Endpoint, SourceError};
use crate::metrics::EndpointKind;
use alloy::primitives::{Address, B256, U64};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use jsonrpsee::types::error::{INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE};
use serde_json::json;

/// How much depends on a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodUse {
    /// Nothing works without it.
    Always,
    /// Another one does in its place, at a cost.
    Preferred {
        /// The other one.
        instead: &'static str,
    },
    /// It replaces another one, or is used in rare cases.
    Extra,
    /// Its answer has a finding of its own.
    Apart,
}

/// A method, and what it is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// The kind of endpoint that is asked for it.
    pub(crate) of: EndpointKind,
    /// Its name.
    pub(crate) name: &'static str,
    /// How much depends on it.
    pub(crate) need: MethodUse,
    /// What is lost without it, in words.
    pub(crate) without: &'static str,
}

const fn method(of: EndpointKind, name: &'static str, need: MethodUse, without: &'static str) -> Method {
    Method { of, name, need, without }
}

use EndpointKind::{Execution, Filter, L1, RollupNode, Supernode};

const ONE_RECEIPT: MethodUse = MethodUse::Preferred { instead: "eth_getTransactionReceipt" };

/// Every method that endpoints are asked for.
pub(crate) const METHODS: &[Method] = &[
    method(L1, "eth_chainId", MethodUse::Always, "its L1 cannot be identified"),
    method(L1, "eth_getBlockByNumber", MethodUse::Always, "no block can be checked against L1"),
    method(L1, "eth_getBlockByHash", MethodUse::Always, "no block can be checked against L1"),
    method(L1, "eth_getBlockReceipts", ONE_RECEIPT, "receipts are fetched one by one, which is slow"),
    method(L1, "eth_getTransactionReceipt", MethodUse::Extra, "receipts cannot be fetched one by one"),
    method(L1, "eth_getStorageAt", MethodUse::Always, "the unsafe block signer cannot be read"),
    method(L1, "eth_config", MethodUse::Extra, "blob base fees may not be checked"),
    method(L1, "debug_getRawReceipts", MethodUse::Extra, "receipts of future types cannot be read"),
    method(L1, "web3_clientVersion", MethodUse::Apart, "its version is not known"),
    method(Execution, "eth_chainId", MethodUse::Always, "its chain cannot be identified"),
    method(Execution, "eth_getBlockByNumber", MethodUse::Always, "no block can be read"),
    method(Execution, "eth_getBlockByHash", MethodUse::Always, "no block can be read"),
    method(Execution, "eth_getBlockReceipts", ONE_RECEIPT, "receipts are fetched one by one, which is slow"),
    method(Execution, "eth_getTransactionReceipt", MethodUse::Extra, "receipts cannot be fetched one by one"),
    method(Execution, "debug_getRawReceipts", MethodUse::Extra, "receipts of future types cannot be read"),
    method(
        Execution,
        "eth_getRawTransactionByHash",
        MethodUse::Extra,
        "transactions of future types cannot be read",
    ),
    method(
        Execution,
        "debug_getRawTransaction",
        MethodUse::Extra,
        "transactions of future types cannot be read",
    ),
    method(Execution, "web3_clientVersion", MethodUse::Apart, "its version is not known"),
    method(
        RollupNode,
        "optimism_syncStatus",
        MethodUse::Always,
        "the chain's heads are not known, and nothing is audited",
    ),
    method(
        RollupNode,
        "optimism_rollupConfig",
        MethodUse::Always,
        "the chain's rules cannot be compared, and nothing is audited",
    ),
    method(RollupNode, "optimism_dependencySet", MethodUse::Extra, "its dependency set cannot be compared"),
    method(
        RollupNode,
        "optimism_safeHeadAtL1Block",
        MethodUse::Apart,
        "super roots and cross-safe heads by L1 block cannot be answered",
    ),
    method(
        RollupNode,
        "supernode_syncStatus",
        MethodUse::Apart,
        "it is treated as a node that does not verify messages",
    ),
    method(RollupNode, "optimism_version", MethodUse::Apart, "its version is not known"),
    method(Supernode, "supernode_syncStatus", MethodUse::Apart, "it is not an op-supernode"),
    method(Supernode, "superroot_atTimestamp", MethodUse::Always, "its super roots cannot be compared"),
    method(
        Filter,
        "interop_checkAccessList",
        MethodUse::Preferred { instead: "supervisor_checkAccessList" },
        "it is asked by the older name",
    ),
    method(Filter, "supervisor_checkAccessList", MethodUse::Extra, "it is asked by the name of today alone"),
    method(
        Filter,
        "interop_getBlockHashByNumber",
        MethodUse::Extra,
        "it is not known whether it is on another branch, and a difference counts later",
    ),
    method(
        Filter,
        "admin_getPassthroughEnabled",
        MethodUse::Apart,
        "whether it accepts everything is found out by an access list alone",
    ),
];

impl Method {
    /// Harmless parameters: about a block that the endpoint has, where one is known.
    fn params(&self, block: B256) -> ArrayParams {
        match self.name {
            "eth_getBlockByNumber" => rpc_params!["latest", false],
            "eth_getBlockByHash" => rpc_params![block, false],
            "eth_getStorageAt" => rpc_params![Address::ZERO, B256::ZERO, "latest"],
            "eth_getBlockReceipts" | "debug_getRawReceipts" => rpc_params![block],
            "eth_getTransactionReceipt" | "eth_getRawTransactionByHash" | "debug_getRawTransaction" => {
                rpc_params![B256::ZERO]
            }
            "superroot_atTimestamp" => rpc_params![U64::ZERO],
            "interop_checkAccessList" | "supervisor_checkAccessList" => {
                let descriptor = json!({ "chainID": "1", "timestamp": U64::ZERO });
                rpc_params![Vec::<B256>::new(), "unsafe", descriptor]
            }
            "interop_getBlockHashByNumber" => rpc_params!["1", U64::ZERO],
            _ => rpc_params![],
        }
    }
}

/// Whether an endpoint serves a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// It answered, if only that it does not have what was asked for.
    Yes,
    /// It does not know the method, or not with the parameters that it is called with.
    No,
    /// It did not answer.
    Unknown {
        /// Why, in words.
        reason: String,
    },
}

impl Served {
    /// What an answer, of any kind, says of its method.
    pub(crate) fn of<T>(answer: Result<T, SourceError>) -> Self {
        match answer {
            Ok(_) => Self::Yes,
            Err(error) if is_no_such_method(&error) => Self::No,
            Err(SourceError::Unreachable { reason, .. }) => Self::Unknown { reason },
            Err(_) => Self::Yes,
        }
    }
}

/// How servers say that they do not serve a method, beside the code for it.
const NO_SUCH_METHOD: [&str; 7] = [
    "not found",
    "not supported",
    "unsupported",
    "does not exist",
    "not available",
    "not allowed",
    "not whitelisted",
];

/// Whether an endpoint does not serve what it was asked for. Providers have codes and words of their own.
pub(crate) fn is_no_such_method(error: &SourceError) -> bool {
    let SourceError::Refused { code, message, .. } = error else { return false };
    let message = message.to_lowercase();
    matches!(*code, METHOD_NOT_FOUND_CODE | INVALID_PARAMS_CODE)
        || (message.contains("method") && NO_SUCH_METHOD.iter().any(|words| message.contains(words)))
}

impl Endpoint {
    /// Whether it serves a method. `block`: one that it has, if any is known.
    pub(crate) async fn serves(&self, method: &Method, block: B256) -> Served {
        Served::of(self.call_raw(method.name, method.params(block)).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::BTreeSet;

    /// The names of methods that a text holds as literals.
    fn named(text: &str) -> impl Iterator<Item = String> {
        let spaces = [
            "admin_",
            "debug_",
            "eth_",
            "interop_",
            "optimism_",
            "supernode_",
            "superroot_",
            "supervisor_",
            "web3_",
        ];
        let literals = text.split('"').filter(move |literal| {
            let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
            spaces.iter().any(|space| literal.strip_prefix(space).is_some_and(is_name))
        });
        literals.map(ToOwned::to_owned)
    }

    #[test]
    fn the_list_contains_every_called_method() {
        let room = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sources");
        let mut called = BTreeSet::new();
        for entry in std::fs::read_dir(room).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(".rs")
                || ["methods.rs", "scripted_node.rs", "tests.rs"].contains(&name.as_str())
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            called.extend(named(text.split("#[cfg(test)]\nmod tests").next().unwrap()));
        }
        let listed: BTreeSet<String> = METHODS.iter().map(|method| method.name.to_owned()).collect();
        assert_eq!(called, listed);
    }

    fn refused(code: i32, message: &str) -> SourceError {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        SourceError::Refused { endpoint, method: "eth_config", code, message: message.to_owned() }
    }

    #[rstest]
    #[case::by_code(-32_601, "no", Served::No)]
    #[case::by_words(-32_000, "Method eth_config is not available", Served::No)]
    #[case::not_with_these_parameters(-32_602, "invalid argument", Served::No)]
    #[case::no_such_block(-32_000, "header not found", Served::Yes)]
    #[case::busy(-32_005, "rate limit exceeded", Served::Yes)]
    fn errors_that_mean_that_a_method_is_not_served(
        #[case] code: i32,
        #[case] message: &str,
        #[case] expected: Served,
    ) {
        assert_eq!(Served::of::<()>(Err(refused(code, message))), expected);
    }

    #[test]
    fn no_answer_leaves_it_unknown_if_a_method_is_served() {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        let reason = "timed out".to_owned();
        let error = SourceError::Unreachable { endpoint, method: "eth_config", reason: reason.clone() };
        assert_eq!(Served::of::<()>(Err(error)), Served::Unknown { reason });
        assert_eq!(Served::of(Ok(())), Served::Yes);
    }
}
