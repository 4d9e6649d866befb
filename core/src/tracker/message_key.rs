//! [`MessageKey`]: which executed message. A message that is included again in another block is another one.

use crate::message::BlockKey;
use serde::Serialize;

/// Which executed message: the block that executed it, by hash, and the place of the inbox's log in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MessageKey {
    /// The executing block.
    pub block: BlockKey,
    /// The log's place among all logs of the block.
    pub log_index: u32,
}
