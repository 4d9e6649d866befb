//! [`Recorded`]: a server that answers as a file says, in its very words: what a client really sent, and how.
//!
//! A file is a list of answers. Each names what it answers, `method` or `method [parameters]`, and holds the
//! members of the response. What nothing is recorded for does not exist.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A file of a case.
pub(super) fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases").join(file)
}

/// What is answered to what.
#[derive(Clone, Debug)]
pub(super) struct Answers(BTreeMap<String, Map<String, Value>>);

impl Answers {
    /// Reads a file of answers.
    pub(super) fn of(file: &str) -> Self {
        let text = std::fs::read(path(file)).unwrap();
        let answers: Vec<Map<String, Value>> = serde_json::from_slice(&text).unwrap();
        let mut by_question = BTreeMap::new();
        for mut answer in answers {
            let asked = answer.remove("asked").unwrap();
            for asked in asked.as_array().unwrap() {
                by_question.insert(asked.as_str().unwrap().to_owned(), answer.clone());
            }
        }
        Self(by_question)
    }

    /// What is answered to a question.
    pub(super) fn result(&self, asked: &str) -> &Value {
        &self.0[asked]["result"]
    }

    /// Answers something else to these questions.
    pub(super) fn with(mut self, asked: &[&str], result: &Value) -> Self {
        for asked in asked {
            self.0.insert((*asked).to_owned(), Map::from_iter([("result".to_owned(), result.clone())]));
        }
        self
    }

    /// Answers a question as another file does.
    pub(super) fn with_answer_of(mut self, asked: &str, other: &Self) -> Self {
        self.0.insert(asked.to_owned(), other.0[asked].clone());
        self
    }

    /// Answers every other spelling of a question about the newest block as this one, and nothing where no
    /// block is recorded: what the case was recorded for was not asked for more.
    pub(super) fn with_tip(self, asked: &str) -> Self {
        let tip = self.result(asked).clone();
        let tags = ["latest", "safe", "finalized"].into_iter().flat_map(|tag| [(tag, true), (tag, false)]);
        let tags: Vec<String> =
            tags.map(|(tag, full)| format!("eth_getBlockByNumber [{tag:?},{full}]")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        self.with(&["eth_getBlockByNumber", "eth_getBlockByHash"], &Value::Null).with(&tags, &tip)
    }

    /// The members of the response to a request.
    fn to(&self, request: &Value) -> Map<String, Value> {
        let method = request["method"].as_str().unwrap();
        let exactly = format!("{method} {}", request["params"]);
        let answer = self.0.get(&exactly).or_else(|| self.0.get(method)).cloned();
        answer.unwrap_or_else(|| {
            let text = format!("the method {method} does not exist/is not available");
            Map::from_iter([("error".to_owned(), json!({ "code": -32_601, "message": text }))])
        })
    }
}

/// How a response is written around its answer.
pub(super) type Envelope = fn(&mut Value);

/// A running server. It ends when dropped.
pub(super) struct Recorded {
    pub(super) url: String,
    _task: JoinSet<()>,
}

impl Recorded {
    /// Serves a file's answers.
    pub(super) async fn serving(file: &str) -> Self {
        Self::with(Answers::of(file), |_| ()).await
    }

    /// Serves answers, written so.
    pub(super) async fn with(answers: Answers, envelope: Envelope) -> Self {
        let answers = Arc::new(answers);
        let answer = move |body: Bytes| std::future::ready(respond(&answers, envelope, &body));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(async move {
            axum::serve(listener, Router::new().fallback(post(answer))).await.unwrap();
        });
        Self { url, _task: task }
    }
}

fn respond(answers: &Answers, envelope: Envelope, body: &[u8]) -> Response {
    let request: Value = serde_json::from_slice(body).unwrap();
    let one = |request: &Value| {
        let mut response = Value::Object(answers.to(request));
        response["jsonrpc"] = json!("2.0");
        response["id"] = request["id"].clone();
        envelope(&mut response);
        response
    };
    let response = match &request {
        Value::Array(batch) => batch.iter().map(one).collect(),
        single => one(single),
    };
    ([(CONTENT_TYPE, "application/json")], response.to_string()).into_response()
}
