//! Reading a file or standard input within a bound, and a gossip frame from it: raw, or as 0x-hex.

use super::UsageError;
use alloy::primitives::Bytes;
use eyre::WrapErr;
use std::io::Read;
use std::path::Path;

/// The largest frame read, in bytes: more than hex of the largest takes.
const MAX_FRAME: u64 = 64 * 1024 * 1024;

/// Reads all that a file holds, up to a limit in bytes. `-` is standard input.
pub(super) fn read_input(file: &Path, limit: u64) -> eyre::Result<Vec<u8>> {
    let mut content = Vec::new();
    let reader: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).wrap_err_with(|| format!("{} cannot be opened", file.display()))?)
    };
    let read = reader.take(limit.saturating_add(1)).read_to_end(&mut content);
    let size = read.wrap_err_with(|| format!("{} cannot be read", file.display()))?;
    if u64::try_from(size).is_ok_and(|size| size > limit) {
        let problem = format!("{} has more than {limit} bytes: it is not the expected file", file.display());
        return Err(UsageError { problem }.into());
    }
    Ok(content)
}

/// Reads a frame. `-` is standard input.
pub(super) fn read_frame(file: &Path) -> eyre::Result<Bytes> {
    let content = read_input(file, MAX_FRAME)?;
    match content.strip_prefix(b"0x") {
        None => Ok(content.into()),
        Some(digits) => {
            let decoded = hex::decode(digits.trim_ascii());
            decoded.map(Into::into).map_err(|error| {
                UsageError { problem: format!("{} starts with 0x but is not hex: {error}", file.display()) }
                    .into()
            })
        }
    }
}
