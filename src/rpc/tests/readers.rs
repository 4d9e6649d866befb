//! How proxyd and op-reth read every error that is answered here. What they take for "invalid" must be one;
//! what is only busy, late or unknown must not.
//!
//! The rules are theirs, of August and September 2026, in our words. op-reth checks the code alone. proxyd
//! checks the code of a JSON-RPC error, or at words and status of an HTTP error; with several filters
//! (`multicall`, `health-aware-load-balancing`) it reads what it made of it a second time, by the words
//! alone.

use crate::rpc::SupervisorError;
use crate::sources::SourceError;
use crate::web::busy_response;
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::AccessListError;
use crosscheck_core::validity::InvalidReason;
use crosscheck_p2p::{ChainId, UnixSeconds};
use http_body_util::BodyExt;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a reader takes an answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The transaction is invalid.
    Invalid,
    /// No verdict: as if nothing had been answered.
    Nothing,
    /// The failsafe is on: the transaction is refused.
    Failsafe,
}

/// An error as it travels.
#[derive(Clone, Debug)]
struct Travelling {
    status: u16,
    code: i32,
    text: String,
}

/// The words by which proxyd knows an error, and the code and status that it gives it then.
const PHRASES: [(&str, i32, u16); 16] = [
    ("uninitialized chain database", -320_400, 400),
    ("skipped data", -320_500, 422),
    ("unknown chain", -320_501, 404),
    ("conflicting data", -320_600, 409),
    ("ineffective data", -320_601, 422),
    ("data out of order", -320_900, 409),
    ("awaiting replacement block", -320_901, 409),
    ("iter stop", -321_000, 400),
    ("out of scope", -321_100, 400),
    ("cannot get parent of first block in the database", -321_200, 404),
    ("future data", -321_401, 422),
    ("missed data", -321_500, 404),
    ("data corruption", -321_501, 422),
    ("failsafe is enabled, rejecting all CheckAccessList requests", -320_602, 503),
    ("stopped acces-list check early", -32_602, 400),
    ("failed to read data", -32_602, 400),
];

fn by_words(text: &str) -> Option<(i32, u16)> {
    PHRASES.iter().find(|(phrase, ..)| text.contains(phrase)).map(|(_, code, status)| (*code, *status))
}

/// An answer with an HTTP status that is not success never reaches the code.
fn op_reth(error: &Travelling) -> Reading {
    match error.code {
        _ if error.status != 200 => Reading::Nothing,
        -320_602 => Reading::Failsafe,
        -321_401 | -320_400 | -32_603 => Reading::Nothing,
        _ => Reading::Invalid,
    }
}

fn proxyd(code: i32, status: u16) -> Reading {
    match code {
        -320_602 => Reading::Failsafe,
        _ if status == 499 || status >= 500 => Reading::Nothing,
        -321_401 | -320_400 | -32_603 | -32_000 => Reading::Nothing,
        _ => Reading::Invalid,
    }
}

/// What proxyd makes of an answer at first: `agreement` and `first-filter` go by it.
fn first_look(error: &Travelling) -> (i32, u16) {
    if error.status == 200 {
        let known = PHRASES.iter().find(|(_, code, _)| *code == error.code);
        return (error.code, known.map_or(400, |(_, _, status)| *status));
    }
    by_words(&error.text).unwrap_or((error.code, error.status))
}

/// What it makes of that when only the words are left.
fn second_look(error: &Travelling) -> (i32, u16) {
    by_words(&error.text).unwrap_or((-32_000, 500))
}

fn chain_id() -> ChainId {
    ChainId::from(901)
}

fn what() -> String {
    "block 7 of chain 901".to_owned()
}

/// Every kind of error. The match names them all, so that a new one is missed here.
fn every_error() -> Vec<SupervisorError> {
    let at = UnixSeconds(1);
    let (chain_id, number) = (chain_id(), 7);
    let mut errors = vec![
        SupervisorError::Params { problem: "entries are missing".to_owned() },
        SupervisorError::AccessList(AccessListError::MissingChecksum { entries: 1 }),
        SupervisorError::NotFound { chain_id, number },
        SupervisorError::Uninitialized { what: what() },
        SupervisorError::Skipped {
            what: what(),
            reason: "its rollup node does not keep a record".to_owned(),
        },
        SupervisorError::UnknownChain { chain_id },
        SupervisorError::NoChain,
        SupervisorError::NotWatched { chain_id },
        SupervisorError::Conflict { problem: "block 7 is another one".to_owned() },
        SupervisorError::Failsafe,
        SupervisorError::AwaitingReplacement { chain_id, number },
        SupervisorError::NotAsSafe { chain_id, number, wanted: SafetyLevel::CrossUnsafe },
        SupervisorError::Future { what: what() },
        SupervisorError::Missed { what: what(), reason: "L1 has another".to_owned() },
        SupervisorError::Absent { what: what() },
        SupervisorError::Unanswered { what: what() },
        SupervisorError::Late { what: what() },
        SupervisorError::Busy,
    ];
    let reasons = [
        InvalidReason::UnknownChain { chain_id },
        InvalidReason::ExecutingChainUnknown { chain_id },
        InvalidReason::NotActive { chain_id, timestamp: at },
        InvalidReason::InitiatedAfterExecution { initiated: at, executed: at },
        InvalidReason::Expired { initiated: at, executed: at, window: 1 },
        InvalidReason::BlockNotFound { chain_id, number, timestamp: at, tip: 1 },
        InvalidReason::TimestampMismatch { chain_id, number, claimed: at, found: at },
        InvalidReason::LogNotFound { chain_id, number, index: 1, logs: 1 },
        InvalidReason::ChecksumMismatch { claimed: B256::ZERO, found: B256::ZERO },
    ];
    errors.extend(reasons.into_iter().map(SupervisorError::from));
    errors
}

/// What each reader is to take it for, and what proxyd tells the sender where only the words are left.
const fn expected(error: &SupervisorError) -> (Reading, Reading, i32) {
    match error {
        SupervisorError::Params { .. } | SupervisorError::AccessList(_) => {
            (Reading::Invalid, Reading::Invalid, -32_602)
        }
        // No answer of an access list's check.
        SupervisorError::NotFound { .. } => (Reading::Invalid, Reading::Nothing, -32_000),
        SupervisorError::Uninitialized { .. } => (Reading::Nothing, Reading::Nothing, -320_400),
        SupervisorError::Skipped { .. } => (Reading::Invalid, Reading::Invalid, -320_500),
        SupervisorError::UnknownChain { .. } | SupervisorError::NoChain => {
            (Reading::Invalid, Reading::Invalid, -320_501)
        }
        SupervisorError::Broken(_) | SupervisorError::Conflict { .. } => {
            (Reading::Invalid, Reading::Invalid, -320_600)
        }
        SupervisorError::Failsafe => (Reading::Failsafe, Reading::Failsafe, -320_602),
        SupervisorError::AwaitingReplacement { .. } => (Reading::Invalid, Reading::Invalid, -320_901),
        // op-interop-filter's code, though it is none.
        SupervisorError::NotAsSafe { .. } => (Reading::Invalid, Reading::Invalid, -321_100),
        SupervisorError::Future { .. } => (Reading::Nothing, Reading::Nothing, -321_401),
        SupervisorError::Missed { .. } => (Reading::Invalid, Reading::Invalid, -321_500),
        SupervisorError::NotWatched { .. }
        | SupervisorError::Absent { .. }
        | SupervisorError::Unanswered { .. }
        | SupervisorError::Late { .. }
        | SupervisorError::Busy => (Reading::Nothing, Reading::Nothing, -32_000),
    }
}

#[test]
fn every_error_is_understood_by_every_reader() {
    for error in every_error() {
        let sent = Travelling { status: 200, code: error.code(), text: error.to_string() };
        let (reth, first, last) = expected(&error);
        let (code, status) = first_look(&sent);
        assert_eq!((op_reth(&sent), proxyd(code, status)), (reth, first), "{error}");
        // The second look must not make anything else of it.
        let (code, status) = second_look(&sent);
        assert_eq!((code, proxyd(code, status)), (last, first), "{error}");
    }
}

#[test]
fn every_text_contains_the_phrase_of_its_code_and_no_other() {
    for error in every_error() {
        let text = error.to_string();
        let held: Vec<i32> =
            PHRASES.iter().filter(|(phrase, ..)| text.contains(phrase)).map(|(_, code, _)| *code).collect();
        let expected: Vec<i32> =
            PHRASES.iter().map(|(_, code, _)| *code).filter(|code| *code == error.code()).take(1).collect();
        assert_eq!(held, expected, "{text}");
    }
}

#[test]
fn every_code_and_reason_is_known_to_the_metrics() {
    let errors = every_error();
    let codes: BTreeSet<i32> = errors.iter().map(SupervisorError::code).collect();
    assert_eq!(codes, SupervisorError::CODES.into());
    // What no check of an access list answers.
    let of_others = ["not-found", "conflict", "missed"];
    let reasons = errors.iter().map(SupervisorError::reason).filter(|reason| !of_others.contains(reason));
    assert_eq!(reasons.collect::<BTreeSet<_>>(), SupervisorError::REASONS.into());
}

#[tokio::test]
async fn a_full_server_is_not_read_as_a_verdict() {
    let response = busy_response("too many connections are open");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let code = i32::try_from(body["error"]["code"].as_i64().unwrap()).unwrap();
    let busy = Travelling { status, code, text: body["error"]["message"].as_str().unwrap().to_owned() };
    let (first, last) = (first_look(&busy), second_look(&busy));
    assert_eq!((status, code), (503, -32_603));
    assert_eq!(op_reth(&busy), Reading::Nothing);
    assert_eq!((proxyd(first.0, first.1), proxyd(last.0, last.1)), (Reading::Nothing, Reading::Nothing));
}

/// What was answered before: the reader's rules do find it.
#[test]
fn the_status_too_many_requests_would_be_read_as_a_verdict() {
    let was = Travelling {
        status: 429,
        code: -32_602,
        text: "Too many connections. Please try again later.".to_owned(),
    };
    let (code, status) = first_look(&was);
    assert_eq!(proxyd(code, status), Reading::Invalid);
}

#[rstest]
#[case::unreachable(SourceError::Unreachable { endpoint: url(), method: "eth_getBlockByNumber", reason: "http://10.0.0.1:8545 refused".to_owned() }, -32_603)]
#[case::refused(SourceError::Refused { endpoint: url(), method: "eth_getBlockByNumber", code: -32_005, message: "limit, see https://10.0.0.1".to_owned() }, -32_603)]
#[case::not_served(SourceError::Refused { endpoint: url(), method: "optimism_safeHeadAtL1Block", code: -32_601, message: "at https://10.0.0.1".to_owned() }, -320_500)]
#[case::no_record(SourceError::Refused { endpoint: url(), method: "optimism_safeHeadAtL1Block", code: -32_000, message: "safe head database not enabled".to_owned() }, -320_500)]
#[case::untrustworthy(SourceError::Untrustworthy { endpoint: url(), method: "eth_getBlockByNumber", reason: "of 10.0.0.1".to_owned() }, -32_603)]
#[case::no_quorum(SourceError::NoQuorum { chain_id: chain_id(), subject: what(), needed: 2, endpoints: 3, said: "http://10.0.0.1 said".to_owned() }, -32_603)]
#[case::vanished(SourceError::Vanished { chain_id: chain_id(), number: 7, hash: B256::ZERO }, -32_603)]
fn no_error_contains_an_endpoint_address(#[case] error: SourceError, #[case] code: i32) {
    let reported = SupervisorError::unproven(what(), &error);
    assert_eq!(reported.code(), code);
    assert!(!reported.to_string().contains("10.0.0.1"), "{reported}");
}

fn url() -> crate::sources::EndpointUrl {
    "http://10.0.0.1:8545".parse().unwrap()
}
