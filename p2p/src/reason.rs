//! [`Reason`]: the rules that a frame can break, one variant each, and what breaking it means.
//!
//! The table of them all, with the specification's line for each, is in the documentation of the crate. On the
//! cross-safe topic lateness is ordinary, and which of several blocks at a height came first differs from peer to
//! peer: neither may cost an honest relay.

use crate::{MalformedPayload, Topic, UnixSeconds};
use alloy_primitives::{Address, B256};

/// Which rule a frame broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The snappy header claims more than a frame may hold.
    #[error("the frame claims {declared} decompressed bytes: at most {limit} are allowed")]
    DeclaredSizeTooLarge {
        /// The claim.
        declared: usize,
        /// The most allowed.
        limit: usize,
    },
    /// There is no room for a signature and a payload.
    #[error("the frame holds {size} decompressed bytes: at least {minimum} are needed")]
    DeclaredSizeTooSmall {
        /// The size.
        size: usize,
        /// The fewest allowed.
        minimum: usize,
    },
    /// The frame is no snappy block, or not the one that its header announces.
    #[error("the frame is not a snappy block: {detail}")]
    BadSnappy {
        /// What the decoder said.
        detail: String,
    },
    /// Whose signature counts is not known yet.
    #[error("no signer is known for {topic}: configure a signer, or wait until L1 was read")]
    NoSignerKnown {
        /// The topic.
        topic: Topic,
    },
    /// The last signature byte is none of 0 to 7.
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
        /// Who signed, read in the topic's own domain.
        recovered: Address,
        /// Who may sign.
        expected: Address,
    },
    /// Another key signed than the one that L1 named when it was last read, which is too long ago.
    #[error(
        "signed by {recovered}, not by {expected}; but L1, which names the signer, was not read recently"
    )]
    SignerInDoubt {
        /// Who signed, read in the topic's own domain.
        recovered: Address,
        /// Who could sign when L1 was last read.
        expected: Address,
    },
    /// The signature may be a replay of an unsafe block's, and such are not taken here.
    #[error("signed in the zero domain: it may be an unsafe block's signature, replayed by anyone")]
    ReplayableDomain,
    /// The signed bytes are no payload.
    #[error(transparent)]
    Malformed(#[from] MalformedPayload),
    /// The block is older than the topic's window.
    #[error("the block's timestamp {timestamp} is more than {max_age_secs} s before {now}")]
    TooOld {
        /// The block's.
        timestamp: UnixSeconds,
        /// The time of arrival.
        now: UnixSeconds,
        /// The window, seconds.
        max_age_secs: u64,
    },
    /// The block is from the future.
    #[error(
        "the block's timestamp {timestamp} is more than {max_ahead_secs} s after {now}: check both clocks"
    )]
    FromTheFuture {
        /// The block's.
        timestamp: UnixSeconds,
        /// The time of arrival.
        now: UnixSeconds,
        /// The window, seconds.
        max_ahead_secs: u64,
    },
    /// A transaction of no bytes, which no trie can hold.
    #[error("transaction {index} is empty")]
    EmptyTransaction {
        /// Its index in the block.
        index: usize,
    },
    /// A base fee that no header can hold.
    #[error("the base fee does not fit 64 bits")]
    BaseFeeTooLarge,
    /// The fields do not hash to the claimed block hash.
    #[error("the block's fields hash to {computed}, which is not the hash that it claims")]
    BlockHashMismatch {
        /// What the fields give.
        computed: B256,
    },
    /// Withdrawals, which no OP Stack block has.
    #[error("the block lists {count} withdrawals: none are allowed")]
    WithdrawalsNotEmpty {
        /// How many.
        count: usize,
    },
    /// Blob gas used before Jovian, when it was no data-availability footprint yet.
    #[error(
        "the block claims {blob_gas_used} blob gas used at {timestamp}: before Jovian{} only 0 is allowed; check the \
         configured fork times",
        jovian.map(|time| format!(" ({time})")).unwrap_or_default()
    )]
    BlobGasBeforeJovian {
        /// The claim.
        blob_gas_used: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
        /// When Jovian takes force, if it is scheduled.
        jovian: Option<UnixSeconds>,
    },
    /// Excess blob gas, which no OP Stack block has.
    #[error("the block claims {excess_blob_gas} excess blob gas: only 0 is allowed")]
    ExcessBlobGas {
        /// The claim.
        excess_blob_gas: u64,
    },
    /// The block is known to be right and is final: one more attestation of it says nothing new.
    #[error("block {number} ({hash}) is settled: an attestation of it is too late")]
    AlreadySettled {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// Enough different blocks of this height were let through.
    #[error("{seen} blocks of height {number} were accepted already")]
    TooManyAtHeight {
        /// The height.
        number: u64,
        /// How many.
        seen: usize,
    },
    /// This very block was let through before.
    #[error("block {hash} was accepted already")]
    AlreadySeen {
        /// Its hash.
        hash: B256,
    },
}

/// What a refused frame is to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalVerdict {
    /// Not passed on; nobody is blamed.
    Ignore,
    /// Not passed on; anyone who sent it should have known.
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

/// Who is to blame for a refused frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtFault {
    /// Anyone who sent it: nobody that keeps to the rules passes it on, and nobody need have signed it.
    Sender,
    /// The signer, and anyone who passed it on without looking.
    Signer,
    /// Nobody, or nobody that can be told.
    Nobody,
    /// This node, which does not know enough.
    Us,
}

impl AtFault {
    /// The fault's name: `sender`, `signer`, `nobody` or `us`.
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

    /// What breaking the rule means on a topic.
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

    /// Whether the block's timestamp was the reason: the one thing that this node's clock has a say in.
    pub const fn is_out_of_window(&self) -> bool {
        matches!(self, Self::TooOld { .. } | Self::FromTheFuture { .. })
    }

    /// Who is to blame on a topic.
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

    /// A short, stable name.
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
