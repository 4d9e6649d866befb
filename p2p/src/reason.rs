//! [`Reason`]: the rules that a frame can break, one variant each, and what that leads to.
//!
//! The table of all rules, with the specification's line for each, is in the documentation of the crate. On
//! the cross-safe topic attestations are often late, and which of several blocks at a height came first
//! differs from peer to peer: neither may cost an honest relay.

use crate::{MalformedPayload, Topic, UnixSeconds};
use alloy_primitives::{Address, B256};

/// Which rule a frame broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The snappy header claims more bytes than a frame may have.
    #[error("the frame claims {declared} decompressed bytes: at most {limit} are allowed")]
    DeclaredSizeTooLarge {
        /// The claimed size, bytes.
        declared: usize,
        /// The most allowed, bytes.
        limit: usize,
    },
    /// The frame is too short for a signature and a payload.
    #[error("the frame holds {size} decompressed bytes: at least {minimum} are needed")]
    DeclaredSizeTooSmall {
        /// The decompressed size, bytes.
        size: usize,
        /// The fewest allowed, bytes.
        minimum: usize,
    },
    /// The frame is not a snappy block, or does not have the size that its header claims.
    #[error("the frame is not a snappy block: {detail}")]
    BadSnappy {
        /// The error of the decoder.
        detail: String,
    },
    /// The signer of the topic is not known yet.
    #[error("no signer is known for {topic}: configure a signer, or wait until L1 was read")]
    NoSignerKnown {
        /// The topic.
        topic: Topic,
    },
    /// The last byte of the signature is not 0 to 7.
    #[error("recovery id {id}: only 0 to 3 are valid, and 4 to 7, which are read as 0 to 3")]
    BadRecoveryId {
        /// The byte.
        id: u8,
    },
    /// No key can have made the signature.
    #[error("no key can have made this signature")]
    BadSignature,
    /// Another key signed.
    #[error("signed by {recovered}, not by {expected}")]
    WrongSigner {
        /// The address that the signature recovers to in the topic's own domain.
        recovered: Address,
        /// The expected signer.
        expected: Address,
    },
    /// Another key signed than the one that L1 named when it was last read, which is too long ago to reject
    /// the frame.
    #[error(
        "signed by {recovered}, not by {expected}; but L1, which names the signer, was not read recently"
    )]
    SignerInDoubt {
        /// The address that the signature recovers to in the topic's own domain.
        recovered: Address,
        /// The expected signer when L1 was last read.
        expected: Address,
    },
    /// The signature may be that of an unsafe block, and the rules do not accept such on the cross-safe
    /// topic.
    #[error("signed in the zero domain: it may be an unsafe block's signature, replayed by anyone")]
    ReplayableDomain,
    /// The signed bytes are not a payload of the topic's version.
    #[error(transparent)]
    Malformed(#[from] MalformedPayload),
    /// The block is older than the topic's window.
    #[error("the block's timestamp {timestamp} is more than {max_age_secs} s before {now}")]
    TooOld {
        /// The block's timestamp.
        timestamp: UnixSeconds,
        /// The time of arrival.
        now: UnixSeconds,
        /// The most allowed age, seconds.
        max_age_secs: u64,
    },
    /// The block's timestamp is further in the future than the window allows.
    #[error(
        "the block's timestamp {timestamp} is more than {max_ahead_secs} s after {now}: check both clocks"
    )]
    FromTheFuture {
        /// The block's timestamp.
        timestamp: UnixSeconds,
        /// The time of arrival.
        now: UnixSeconds,
        /// How far ahead a timestamp may be, seconds.
        max_ahead_secs: u64,
    },
    /// A transaction has no bytes, which no trie can contain.
    #[error("transaction {index} is empty")]
    EmptyTransaction {
        /// Its index in the block.
        index: usize,
    },
    /// The base fee is larger than a header can have.
    #[error("the base fee does not fit 64 bits")]
    BaseFeeTooLarge,
    /// The fields do not hash to the claimed block hash.
    #[error("the block's fields hash to {computed}, which is not the hash that it claims")]
    BlockHashMismatch {
        /// The hash of the header that the fields make up.
        computed: B256,
    },
    /// The block has withdrawals, which no OP Stack block has.
    #[error("the block lists {count} withdrawals: none are allowed")]
    WithdrawalsNotEmpty {
        /// How many withdrawals.
        count: usize,
    },
    /// Blob gas was used before Jovian, when it was not a data-availability footprint yet.
    #[error(
        "the block claims {blob_gas_used} blob gas used at {timestamp}: before Jovian{} only 0 is allowed; check the \
         configured fork times",
        jovian.map(|time| format!(" ({time})")).unwrap_or_default()
    )]
    BlobGasBeforeJovian {
        /// The block's `blobGasUsed`.
        blob_gas_used: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
        /// When Jovian takes force, if it is scheduled.
        jovian: Option<UnixSeconds>,
    },
    /// The block has excess blob gas, which no OP Stack block has.
    #[error("the block claims {excess_blob_gas} excess blob gas: only 0 is allowed")]
    ExcessBlobGas {
        /// The block's `excessBlobGas`.
        excess_blob_gas: u64,
    },
    /// The block is known to be valid and is final: another attestation of it is not needed.
    #[error("block {number} ({hash}) is settled: an attestation of it is too late")]
    AlreadySettled {
        /// The block's height.
        number: u64,
        /// The block's hash.
        hash: B256,
    },
    /// Too many different blocks of this height were accepted.
    #[error("{seen} blocks of height {number} were accepted already")]
    TooManyAtHeight {
        /// The height.
        number: u64,
        /// How many were accepted.
        seen: usize,
    },
    /// This block was accepted before.
    #[error("block {hash} was accepted already")]
    AlreadySeen {
        /// The block's hash.
        hash: B256,
    },
}

/// How the network handles a refused frame, in the terms of gossipsub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalVerdict {
    /// It is not passed on, and its sender is not blamed.
    Ignore,
    /// It is not passed on, and its sender is blamed: it could have checked the rule.
    Reject,
}

impl RefusalVerdict {
    /// The verdict's name: `ignore` or `reject`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Reject => "reject",
        }
    }
}

/// Who is at fault for a refused frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtFault {
    /// The peer that sent it: no peer that follows the rules passes it on, and the signer need not have
    /// signed it.
    Sender,
    /// The signer, and every peer that passed it on without checking it.
    Signer,
    /// Nobody, or it cannot be determined.
    Nobody,
    /// This node, which is missing a fact.
    Us,
}

impl AtFault {
    /// The name: `sender`, `signer`, `nobody` or `us`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Signer => "signer",
            Self::Nobody => "nobody",
            Self::Us => "us",
        }
    }
}

impl Reason {
    /// Every code that a frame can be refused by, in the order of the checks.
    pub const CODES: [&'static str; 28] = [
        "declared-size-too-large",
        "bad-snappy",
        "declared-size-too-small",
        "no-signer-known",
        "bad-recovery-id",
        "bad-signature",
        "wrong-signer",
        "signer-in-doubt",
        "replayable-domain",
        "payload-truncated",
        "extra-data-offset",
        "offsets-out-of-order",
        "extra-data-too-long",
        "transaction-offset",
        "too-many-transactions",
        "withdrawals-size",
        "too-many-withdrawals",
        "too-old",
        "from-the-future",
        "empty-transaction",
        "base-fee-too-large",
        "block-hash-mismatch",
        "withdrawals-not-empty",
        "blob-gas-before-jovian",
        "excess-blob-gas",
        "already-settled",
        "too-many-at-height",
        "already-seen",
    ];

    /// How a frame that breaks the rule is handled on a topic.
    pub const fn verdict(&self, topic: Topic) -> RefusalVerdict {
        match self {
            Self::NoSignerKnown { .. }
            | Self::SignerInDoubt { .. }
            | Self::ReplayableDomain
            | Self::AlreadySettled { .. }
            | Self::AlreadySeen { .. } => RefusalVerdict::Ignore,
            Self::TooOld { .. } | Self::TooManyAtHeight { .. } if topic.is_cross_safe() => {
                RefusalVerdict::Ignore
            }
            Self::DeclaredSizeTooLarge { .. }
            | Self::DeclaredSizeTooSmall { .. }
            | Self::BadSnappy { .. }
            | Self::BadRecoveryId { .. }
            | Self::BadSignature
            | Self::WrongSigner { .. }
            | Self::Malformed(_)
            | Self::TooOld { .. }
            | Self::FromTheFuture { .. }
            | Self::EmptyTransaction { .. }
            | Self::BaseFeeTooLarge
            | Self::BlockHashMismatch { .. }
            | Self::WithdrawalsNotEmpty { .. }
            | Self::BlobGasBeforeJovian { .. }
            | Self::ExcessBlobGas { .. }
            | Self::TooManyAtHeight { .. } => RefusalVerdict::Reject,
        }
    }

    /// Whether the block's timestamp was the reason: the only rules that depend on this node's clock.
    pub const fn is_out_of_window(&self) -> bool {
        matches!(self, Self::TooOld { .. } | Self::FromTheFuture { .. })
    }

    /// Who is at fault on a topic.
    pub const fn at_fault(&self, topic: Topic) -> AtFault {
        match self {
            Self::NoSignerKnown { .. } | Self::SignerInDoubt { .. } => AtFault::Us,
            Self::ReplayableDomain | Self::AlreadySettled { .. } | Self::AlreadySeen { .. } => {
                AtFault::Nobody
            }
            Self::TooOld { .. } if topic.is_cross_safe() => AtFault::Nobody,
            Self::DeclaredSizeTooLarge { .. }
            | Self::DeclaredSizeTooSmall { .. }
            | Self::BadSnappy { .. }
            | Self::BadRecoveryId { .. }
            | Self::BadSignature
            | Self::WrongSigner { .. }
            | Self::TooOld { .. } => AtFault::Sender,
            Self::Malformed(_)
            | Self::FromTheFuture { .. }
            | Self::EmptyTransaction { .. }
            | Self::BaseFeeTooLarge
            | Self::BlockHashMismatch { .. }
            | Self::WithdrawalsNotEmpty { .. }
            | Self::BlobGasBeforeJovian { .. }
            | Self::ExcessBlobGas { .. }
            | Self::TooManyAtHeight { .. } => AtFault::Signer,
        }
    }

    /// A short, stable name, one of [`Reason::CODES`]: `bad-snappy`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DeclaredSizeTooLarge { .. } => "declared-size-too-large",
            Self::DeclaredSizeTooSmall { .. } => "declared-size-too-small",
            Self::BadSnappy { .. } => "bad-snappy",
            Self::NoSignerKnown { .. } => "no-signer-known",
            Self::BadRecoveryId { .. } => "bad-recovery-id",
            Self::BadSignature => "bad-signature",
            Self::SignerInDoubt { .. } => "signer-in-doubt",
            Self::WrongSigner { .. } => "wrong-signer",
            Self::ReplayableDomain => "replayable-domain",
            Self::Malformed(malformed) => malformed.code(),
            Self::TooOld { .. } => "too-old",
            Self::FromTheFuture { .. } => "from-the-future",
            Self::EmptyTransaction { .. } => "empty-transaction",
            Self::BaseFeeTooLarge => "base-fee-too-large",
            Self::BlockHashMismatch { .. } => "block-hash-mismatch",
            Self::WithdrawalsNotEmpty { .. } => "withdrawals-not-empty",
            Self::BlobGasBeforeJovian { .. } => "blob-gas-before-jovian",
            Self::ExcessBlobGas { .. } => "excess-blob-gas",
            Self::AlreadySettled { .. } => "already-settled",
            Self::TooManyAtHeight { .. } => "too-many-at-height",
            Self::AlreadySeen { .. } => "already-seen",
        }
    }
}
