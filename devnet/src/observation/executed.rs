//! [`executed_by`]: where a block executes messages. Pure.

use crate::chain::L2Block;
use crate::findings::MessagePlace;
use crosscheck_core::message::CROSS_L2_INBOX;
use crosscheck_p2p::ChainId;

/// Where a block executes messages.
pub(crate) fn executed_by(chain_id: u64, block: &L2Block) -> impl Iterator<Item = MessagePlace> {
    let logs = block.logs().filter(|(_, _, log)| log.address == CROSS_L2_INBOX);
    logs.map(move |(log_index, ..)| MessagePlace {
        chain_id: ChainId::from(chain_id),
        number: block.number(),
        hash: block.hash,
        log_index,
    })
}
