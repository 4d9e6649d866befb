//! [`FeeParameters`]: the EIP-1559 parameters of a block, as its extra data states them, by fork.
//!
//! Specs: protocol/holocene/exec-engine.md (9 bytes, version 0), protocol/jovian/exec-engine.md (17 bytes,
//! version 1).

use alloy::primitives::Bytes;

/// A base fee change denominator and an elasticity multiplier. In a system config 0,0 means the chain's
/// Canyon values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eip1559 {
    /// The base fee change denominator.
    pub denominator: u32,
    /// The elasticity multiplier.
    pub elasticity: u32,
}

impl Eip1559 {
    /// Reads the 8 bytes that system configs, attributes and extra data have alike: denominator, then
    /// elasticity.
    pub const fn from_be_bytes(bytes: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self { denominator: u32::from_be_bytes([a, b, c, d]), elasticity: u32::from_be_bytes([e, f, g, h]) }
    }

    /// Whether it means the chain's Canyon values.
    pub const fn is_unset(self) -> bool {
        self.denominator == 0
    }
}

/// The EIP-1559 parameters in a block's extra data (Holocene, Jovian).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeParameters {
    /// The base fee change denominator.
    pub denominator: u32,
    /// The elasticity multiplier.
    pub elasticity: u32,
    /// The minimum base fee in wei: Jovian and later.
    pub min_base_fee: Option<u64>,
}

/// Extra data that states no EIP-1559 parameters, or not as its fork has it. Before Holocene it is rightly
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "extra data {extra_data} is not what its fork has: Holocene 9 bytes (version 0), Jovian 17 (version 1)"
)]
pub struct FeeParametersError {
    /// What was there, at most its first 32 bytes.
    pub extra_data: Bytes,
}

impl FeeParameters {
    /// Reads a block's extra data.
    ///
    /// # Errors
    /// If it is in neither of the two layouts.
    pub fn decode(extra_data: &Bytes) -> Result<Self, FeeParametersError> {
        Self::read(extra_data).ok_or_else(|| FeeParametersError {
            extra_data: Bytes::copy_from_slice(extra_data.get(..32).unwrap_or(extra_data)),
        })
    }

    fn read(extra_data: &[u8]) -> Option<Self> {
        let (version, rest) = extra_data.split_first()?;
        let (eip1559, floor) = rest.split_first_chunk::<8>()?;
        let min_base_fee = match version {
            0 if floor.is_empty() => None,
            1 => Some(u64::from_be_bytes(floor.try_into().ok()?)),
            _ => return None,
        };
        let Eip1559 { denominator, elasticity } = Eip1559::from_be_bytes(*eip1559);
        Some(Self { denominator, elasticity, min_base_fee })
    }

    /// The extra data that states this: the inverse of [`FeeParameters::decode`].
    pub fn encode(&self) -> Bytes {
        let version = u8::from(self.min_base_fee.is_some());
        let floor = self.min_base_fee.map(u64::to_be_bytes);
        [
            [version].as_slice(),
            &self.denominator.to_be_bytes(),
            &self.elasticity.to_be_bytes(),
            floor.as_ref().map(<[u8; 8]>::as_slice).unwrap_or_default(),
        ]
        .concat()
        .into()
    }

    /// Denominator and elasticity.
    pub const fn eip1559(&self) -> Eip1559 {
        Eip1559 { denominator: self.denominator, elasticity: self.elasticity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn reads_holocene_and_jovian() {
        let holocene = Bytes::from(vec![0, 0, 0, 0, 250, 0, 0, 0, 6]);
        let read = FeeParameters { denominator: 250, elasticity: 6, min_base_fee: None };
        assert_eq!(FeeParameters::decode(&holocene), Ok(read));
        let jovian = Bytes::from([vec![1, 0, 0, 0, 250, 0, 0, 0, 6], 77u64.to_be_bytes().to_vec()].concat());
        assert_eq!(FeeParameters::decode(&jovian), Ok(FeeParameters { min_base_fee: Some(77), ..read }));
        assert_eq!((read.encode(), FeeParameters::decode(&jovian).unwrap().encode()), (holocene, jovian));
    }

    #[rstest]
    #[case::empty(vec![])]
    #[case::version_two(vec![2; 17])]
    #[case::holocene_a_byte_long(vec![0; 10])]
    #[case::jovian_in_holocene_length(vec![1; 9])]
    #[case::holocene_in_jovian_length(vec![0; 17])]
    #[case::jovian_a_byte_long(vec![1; 18])]
    #[case::huge(vec![0; 1000])]
    fn refuses(#[case] extra_data: Vec<u8>) {
        let error = FeeParameters::decode(&extra_data.clone().into()).unwrap_err();
        assert_eq!(error.extra_data.as_ref(), &extra_data[..extra_data.len().min(32)]);
    }
}
