//! Reading an event log: as JSON from a file or standard input, or from its raw topics and data.

use crate::cli::UsageError;
use alloy::primitives::{Address, B256, Bytes, Log, LogData};
use clap::Args;
use crosscheck_core::message::CROSS_L2_INBOX;
use eyre::WrapErr;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest input read, in bytes: an event log of this kind has some 700.
const MAX_INPUT: u64 = 1024 * 1024;

/// An event log.
#[derive(Debug, Args)]
pub(super) struct LogInput {
    /// The log as JSON, {"address", "topics", "data"}, in the format of any RPC; `-` for standard input
    #[arg(value_name = "FILE|-")]
    pub(super) file: Option<PathBuf>,
    /// A topic of the log; give it once for each topic, in order
    #[arg(long = "topic", value_name = "WORD", requires = "data", conflicts_with = "file")]
    topics: Vec<B256>,
    /// The log's data
    #[arg(long, value_name = "HEX", requires = "topics", conflicts_with = "file")]
    data: Option<Bytes>,
    /// The address that emitted the log
    #[arg(long, requires = "data", default_value_t = CROSS_L2_INBOX)]
    address: Address,
}

impl LogInput {
    /// The log, if one was given.
    pub(super) fn read(&self) -> eyre::Result<Option<Log>> {
        match (&self.file, &self.data) {
            (Some(file), _) => read_log(file).map(Some),
            (None, Some(data)) => {
                let data = LogData::new_unchecked(self.topics.clone(), data.clone());
                Ok(Some(Log { address: self.address, data }))
            }
            (None, None) => Ok(None),
        }
    }
}

fn read_log(file: &Path) -> eyre::Result<Log> {
    let mut content = Vec::new();
    let reader: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).wrap_err_with(|| format!("{} cannot be opened", file.display()))?)
    };
    let read = reader.take(MAX_INPUT.saturating_add(1)).read_to_end(&mut content);
    let size = read.wrap_err_with(|| format!("{} cannot be read", file.display()))?;
    if u64::try_from(size).is_ok_and(|size| size > MAX_INPUT) {
        let problem = format!("{} has more than {MAX_INPUT} bytes: it is not an event log", file.display());
        return Err(UsageError { problem }.into());
    }
    let no_log = |why: String| UsageError {
        problem: format!(
            "{} is not an event log: {why}; write {{\"address\": .., \"topics\": [..], \"data\": ..}}",
            file.display()
        ),
    };
    let answer = serde_json::from_slice(&content).map_err(|error| no_log(error.to_string()))?;
    let log = one_of(answer).map_err(no_log)?;
    serde_json::from_value(log).map_err(|error| no_log(error.to_string()).into())
}

/// The one log in what a node answered: the log, a list of it, or a response or a receipt with such a list.
fn one_of(mut answer: Value) -> Result<Value, String> {
    for member in ["result", "logs"] {
        if let Some(inner) = answer.get_mut(member) {
            answer = inner.take();
        }
    }
    let Value::Array(logs) = answer else { return Ok(answer) };
    let count = logs.len();
    let mut logs = logs.into_iter();
    match (logs.next(), logs.next()) {
        (Some(log), None) => Ok(log),
        _ => Err(format!("it has {count} of them, and only one can be decoded at a time")),
    }
}
