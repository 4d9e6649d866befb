//! [`VerifiedL1Header`]: an L1 header that hashes to its hash.

use super::{BlockError, ClaimedHeader};
use alloy::consensus::Header;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;

/// An L1 header with its hash. Whether it is canonical is only claimed by its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedL1Header {
    hash: B256,
    header: Header,
}

impl VerifiedL1Header {
    /// A header, with the hash that it has.
    pub fn seal(header: Header) -> Self {
        Self { hash: header.hash_slow(), header }
    }

    /// Checks the header of an `eth_getBlockBy…` answer.
    ///
    /// # Errors
    /// If it does not hash to what it claims.
    pub fn verify(claimed: ClaimedHeader) -> Result<Self, BlockError> {
        let sealed = Self::seal(claimed.inner);
        if sealed.hash == claimed.hash {
            return Ok(sealed);
        }
        Err(BlockError::Hash { number: sealed.number(), claimed: claimed.hash, found: sealed.hash })
    }

    /// Its hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its height.
    pub const fn number(&self) -> u64 {
        self.header.number
    }

    /// Height and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.header.number, hash: self.hash }
    }

    /// Its timestamp.
    pub const fn timestamp(&self) -> UnixSeconds {
        UnixSeconds(self.header.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_header_that_hashes_to_its_name_is_verified() {
        let header = Header { number: 7, ..Header::default() };
        let sealed = VerifiedL1Header::seal(header.clone());
        assert_eq!(sealed.hash(), header.hash_slow());
        let mut claimed = ClaimedHeader { hash: sealed.hash(), inner: header };
        assert_eq!(VerifiedL1Header::verify(claimed.clone()), Ok(sealed));
        claimed.hash = B256::ZERO;
        assert!(matches!(VerifiedL1Header::verify(claimed), Err(BlockError::Hash { number: 7, .. })));
    }
}
