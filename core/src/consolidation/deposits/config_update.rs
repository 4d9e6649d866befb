//! [`ConfigUpdate`]: one change of the system config, from a log of the SystemConfig contract.
//!
//! Specs: protocol/system-config.md, protocol/holocene, protocol/isthmus and protocol/jovian
//! `system-config.md`. A malformed or unknown update changes nothing, as in op-node
//! (`op-node/rollup/derive/system_config.go`).

use super::system_config::ecotone_scalars;
use super::words::Words;
use super::{OperatorFee, SystemConfig};
use crate::consolidation::fee_parameters::Eip1559;
use crate::consolidation::{Fork, ForkSchedule};
use alloy::primitives::{Address, B256, LogData, U256, b256};
use crosscheck_p2p::UnixSeconds;

/// `keccak256("ConfigUpdate(uint256,uint8,bytes)")`.
pub(super) const CONFIG_UPDATE: B256 =
    b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");

/// A change of the system config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigUpdate {
    /// Type 0.
    Batcher(Address),
    /// Type 1.
    FeeScalars {
        /// The L1 fee overhead.
        overhead: B256,
        /// The L1 fee scalar.
        scalar: B256,
    },
    /// Type 2.
    GasLimit(u64),
    /// Type 3: whom it names. No part of derivation, so malformed data is not an error: it names no signer.
    UnsafeBlockSigner(Option<Address>),
    /// Type 4.
    Eip1559(Eip1559),
    /// Type 5.
    OperatorFee(OperatorFee),
    /// Type 6.
    MinBaseFee(u64),
    /// Type 7.
    DaFootprintGasScalar(u16),
}

/// Why a log is not an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigUpdateError {
    /// Not three topics: the event, the version, the type.
    #[error("a config update has 3 topics, this has {found}")]
    Topics {
        /// How many there are.
        found: usize,
    },
    /// Another event.
    #[error("{found} is not the topic of config updates")]
    Event {
        /// The first topic.
        found: B256,
    },
    /// A version other than 0.
    #[error("config update version {found} is unknown")]
    Version {
        /// The version.
        found: B256,
    },
    /// A type beyond 7.
    #[error("config update type {found} is unknown")]
    Type {
        /// The type.
        found: B256,
    },
    /// Data that its type does not have.
    #[error("config update type {kind}: {length} bytes of data do not match the type")]
    Data {
        /// The type.
        kind: u8,
        /// How many bytes there are.
        length: usize,
    },
}

impl ConfigUpdate {
    /// Reads a log of the SystemConfig contract.
    ///
    /// # Errors
    /// If it is not an update, or a malformed one.
    pub fn decode(log: &LogData) -> Result<Self, ConfigUpdateError> {
        let [event, version, kind] = *log.topics() else {
            return Err(ConfigUpdateError::Topics { found: log.topics().len() });
        };
        if event != CONFIG_UPDATE {
            return Err(ConfigUpdateError::Event { found: event });
        }
        if version != B256::ZERO {
            return Err(ConfigUpdateError::Version { found: version });
        }
        let unknown = ConfigUpdateError::Type { found: kind };
        let kind = u8::try_from(U256::from_be_bytes(kind.0)).map_err(|_| unknown)?;
        let read: fn(&mut Words<'_>) -> Option<Self> = match kind {
            0 => |data| data.word_address().map(Self::Batcher),
            1 => |data| Some(Self::FeeScalars { overhead: data.word()?, scalar: data.word()? }),
            2 => |data| data.word_u64().map(Self::GasLimit),
            3 => return Ok(unsafe_block_signer(log.data.as_ref())),
            4 => eip1559,
            5 => |data| Some(Self::OperatorFee(OperatorFee::from_word(data.word()?))),
            6 => |data| data.word_u64().map(Self::MinBaseFee),
            7 => |data| Some(Self::DaFootprintGasScalar(u16::try_from(data.u256()?).ok()?)),
            _ => return Err(unknown),
        };
        let data = log.data.as_ref();
        let malformed = ConfigUpdateError::Data { kind, length: data.len() };
        unwrapped(data, read).ok_or(malformed)
    }

    /// Applies it, as of the L1 block with this timestamp.
    pub fn apply(self, config: &mut SystemConfig, forks: &ForkSchedule, l1_time: UnixSeconds) {
        match self {
            Self::Batcher(batcher) => config.batcher = batcher,
            Self::FeeScalars { overhead, scalar } if !forks.is_active(Fork::Ecotone, l1_time) => {
                config.overhead = overhead;
                config.scalar = scalar;
            }
            Self::FeeScalars { scalar, .. } => {
                // Since Ecotone a malformed scalar leaves the old one in force.
                if ecotone_scalars(scalar).is_ok() {
                    config.overhead = B256::ZERO;
                    config.scalar = scalar;
                }
            }
            Self::GasLimit(limit) => config.gas_limit = limit,
            Self::UnsafeBlockSigner(_) => {}
            Self::Eip1559(params) => config.eip1559 = params,
            Self::OperatorFee(fee) => config.operator_fee = fee,
            Self::MinBaseFee(floor) => config.min_base_fee = floor,
            Self::DaFootprintGasScalar(scalar) => config.da_footprint_gas_scalar = scalar,
        }
    }
}

/// Reads the inside of ABI-encoded `bytes`: the offset 32, the length, then exactly as many bytes.
fn unwrapped(data: &[u8], read: fn(&mut Words<'_>) -> Option<ConfigUpdate>) -> Option<ConfigUpdate> {
    let mut words = Words::new(data);
    let offset = words.word_u64()?;
    let length = words.word_u64()?;
    let is_framed = offset == 32 && u64::try_from(words.rest().len()).ok()? == length;
    let update = read(&mut words)?;
    (is_framed && words.is_empty()).then_some(update)
}

fn unsafe_block_signer(data: &[u8]) -> ConfigUpdate {
    let named =
        unwrapped(data, |data| data.word_address().map(|named| ConfigUpdate::UnsafeBlockSigner(Some(named))));
    named.unwrap_or(ConfigUpdate::UnsafeBlockSigner(None))
}

/// The last 8 bytes of a word. A denominator of 0 with an elasticity is invalid.
fn eip1559(data: &mut Words<'_>) -> Option<ConfigUpdate> {
    let _ = data.array::<24>()?;
    let params = Eip1559::from_be_bytes(data.array()?);
    let is_valid = params.denominator != 0 || params.elasticity == 0;
    is_valid.then_some(ConfigUpdate::Eip1559(params))
}

#[cfg(test)]
mod tests;
