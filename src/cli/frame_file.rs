//! Reading a gossip frame from a file or standard input: raw, or as 0x-hex.

use super::UsageError;
use alloy::primitives::Bytes;
use eyre::WrapErr;
use std::io::Read;
use std::path::Path;

/// The largest input read, in bytes: more than hex of the largest frame takes.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// Reads a frame. `-` is standard input.
pub(crate) fn read_frame(file: &Path) -> eyre::Result<Bytes> {
    let mut content = Vec::new();
    let reader: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).wrap_err_with(|| format!("{} cannot be opened", file.display()))?)
    };
    let read = reader.take(MAX_INPUT.saturating_add(1)).read_to_end(&mut content);
    let size = read.wrap_err_with(|| format!("{} cannot be read", file.display()))?;
    if u64::try_from(size).is_ok_and(|size| size > MAX_INPUT) {
        let problem = format!("{} has more than {MAX_INPUT} bytes: it is no gossip frame", file.display());
        return Err(UsageError { problem }.into());
    }
    match content.strip_prefix(b"0x") {
        None => Ok(content.into()),
        Some(digits) => {
            let decoded = hex::decode(digits.trim_ascii());
            decoded.map(Into::into).map_err(|error| {
                UsageError { problem: format!("{} begins with 0x but is no hex: {error}", file.display()) }
                    .into()
            })
        }
    }
}
