//! OP Stack block gossip: from untrusted bytes to validated blocks.
//!
//! A frame passes three states: [`Frame`] (bounded, decompressed) → [`AuthenticFrame`] (signed by an accepted
//! signer) → [`ValidBlock`] (valid by every rule). [`Validator`] takes it through all of them, and is pure:
//! time, signers and frames are arguments. This crate never asks L1, an execution client or the disk about a
//! block.
//!
//! # Build, sign and encode a block
//!
//! ```
//! use alloy_consensus::Header;
//! use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
//! use alloy_primitives::B256;
//! use crosscheck_p2p::{BlockSigner, ChainId, Envelope, ExecutionPayload, SigningDomain, Topic};
//!
//! // An Isthmus block: the header's fields choose the payload's version.
//! let header = Header {
//!     number: 7,
//!     timestamp: 1_800_000_000,
//!     base_fee_per_gas: Some(1_000_000),
//!     withdrawals_root: Some(B256::repeat_byte(1)),
//!     blob_gas_used: Some(0),
//!     excess_blob_gas: Some(0),
//!     parent_beacon_block_root: Some(B256::repeat_byte(2)),
//!     requests_hash: Some(EMPTY_REQUESTS_HASH),
//!     ..Header::default()
//! };
//! let transactions = vec![];
//! let envelope = Envelope { payload: ExecutionPayload::from_header(&header, transactions)? };
//! assert_eq!(Topic::of_blocks(envelope.payload.version()), Topic::BlocksV4);
//!
//! // Any `Signer` can sign. For a signature that was made elsewhere there is `SignedEnvelope::from_parts`.
//! let signer = BlockSigner::from_bytes(&B256::repeat_byte(0x11))?;
//! let signed = envelope.sign(&signer, SigningDomain::Zero, ChainId::from(10))?;
//! let frame = signed.frame(); // for `NetworkHandle::publish`
//! # assert!(!frame.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Open, authenticate and judge a frame
//!
//! ```
//! use crosscheck_p2p::{
//!     ChainId, Frame, Judgement, Signers, Topic, UnixSeconds, ValidationRules, Validator,
//! };
//! # use alloy_consensus::Header;
//! # use alloy_primitives::B256;
//! # use crosscheck_p2p::{BlockSigner, Envelope, ExecutionPayload, SigningDomain};
//! # let sequencer = BlockSigner::from_bytes(&B256::repeat_byte(0x11))?;
//! # let header = Header { number: 7, timestamp: 1_600_000_000, base_fee_per_gas: Some(1), ..Header::default() };
//! # let envelope = Envelope { payload: ExecutionPayload::from_header(&header, vec![])? };
//! # let bytes = envelope.sign(&sequencer, SigningDomain::Zero, ChainId::from(10))?.frame();
//! # let sequencer = sequencer.address();
//! // `bytes` arrived on a topic; `sequencer` is the address that the chain's SystemConfig names.
//! let (topic, chain_id, signers) = (Topic::BlocksV1, ChainId::from(10), Signers::of(sequencer));
//!
//! // Step by step: who signed, and which block.
//! let frame = Frame::open(&bytes)?;
//! let frame = frame.authenticate(topic, chain_id, &signers).map_err(|refusal| refusal.reason)?;
//! assert_eq!((frame.signer(), frame.decode()?.payload.number), (sequencer, 7));
//!
//! // All at once, by every rule. A validator remembers the blocks that it accepted.
//! let mut validator = Validator::new(ValidationRules::new(chain_id));
//! let now = UnixSeconds(1_600_000_002);
//! let Judgement::Accept(block) = validator.judge(topic, &bytes, &signers, now) else { panic!("refused") };
//! assert_eq!(block.number(), 7);
//!
//! // The same block again, and one that is too old, are refused by a reason with a stable code.
//! let again = validator.judge(topic, &bytes, &signers, now);
//! assert_eq!(again.refusal().map(|refusal| refusal.reason.code()), Some("already-seen"));
//! let late = validator.judge(topic, &bytes, &signers, UnixSeconds(1_600_000_061));
//! assert_eq!((late.name(), late.refusal().map(|refusal| refusal.reason.code())), ("reject", Some("too-old")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `network` (default): `Network`, a gossip node on libp2p, discv5 and tokio. Enables `libsecp256k1`.
//! - `libsecp256k1`: recovers keys by libsecp256k1, which is written in C, in a third of the time.
//! - `op-alloy`: conversions between [`Envelope`], [`ExecutionPayload`] and op-alloy's payload types.
//! - `op-node`: builds this crate's own comparison with op-node's validator.
//!
//! # What may grow
//!
//! Error enums and results (`PeerInfo`, [`RecoveredSigner`], ...) are `#[non_exhaustive]`: a new variant or
//! field is not a breaking change. [`Reason`], [`MalformedPayload`], [`AtFault`], [`RefusalVerdict`],
//! [`Judgement`], [`Topic`], [`PayloadVersion`], [`VersionFields`], [`SigningDomain`] and `NetworkEvent` are
//! not: code that matches on them has to decide about a new rule, fork, topic or event, and a `_` arm would
//! decide for it. A new one is a breaking release. Settings ([`ValidationRules`], `NetworkConfig`, ...) are
//! not either, because `..` in a struct expression needs that; start from their constructors.
//!
//! # The rules
//!
//! In the order of checks: the first broken rule is the [`Reason`], by its [code](Reason::code). *Blocks* are
//! the topics `blocksv1` to `blocksv4`, *cross-safe* is `cross-safe-blocksv1`; a dash: the rule does not
//! apply there. Where the topics differ, who is [at fault](AtFault) on *blocks* is named first. The
//! specification is `rollup-node-p2p.md` of the OP Stack, quoted; *op-node* marks what only the
//! implementation has, *ours* what op-node does not have.
//!
//! | rule | blocks | cross-safe | at fault | specification |
//! |---|---|---|---|---|
//! | `declared-size-too-large` | reject | reject | sender | "if the compression is not valid"; bound of 10 MiB: op-node, read before anything is decompressed |
//! | `bad-snappy` | reject | reject | sender | "if the compression is not valid" |
//! | `declared-size-too-small` | reject | reject | sender | "if the compression is not valid"; 66 bytes: op-node |
//! | `no-signer-known` | ignore | ignore | us | op-node: there is no signer to compare with |
//! | `bad-recovery-id` | reject | reject | sender | "if the signature by the sequencer is not valid"; 0 to 3 are read, 4 to 7 as 0 to 3 (op-node built without cgo), 0 and 1 written |
//! | `bad-signature` | reject | reject | sender | "if the signature by the sequencer is not valid" |
//! | `wrong-signer` | reject | reject | sender | "if the signature by the sequencer is not valid"; a previous signer is accepted during its grace: op-node |
//! | `signer-in-doubt` | ignore | ignore | us | ours: `wrong-signer` while L1, which names the signer, was not read recently |
//! | `replayable-domain` | — | ignore | nobody | ours: if [`ValidationRules::accepts_zero_domain`] is off, signatures in the zero domain are not accepted |
//! | `payload-truncated` | reject | reject | signer | "if the block encoding is not valid" |
//! | `extra-data-offset` | reject | reject | signer | "if the block encoding is not valid"; a payload of another version ends here, so this is also "if the block is on the topic of v1 and has withdrawals" and the other rules about which version has which fields |
//! | `offsets-out-of-order` | reject | reject | signer | "if the block encoding is not valid" |
//! | `extra-data-too-long` | reject | reject | signer | "if the block encoding is not valid" |
//! | `transaction-offset` | reject | reject | signer | "if the block encoding is not valid" |
//! | `too-many-transactions` | reject | reject | signer | "if the block encoding is not valid" |
//! | `withdrawals-size` | reject | reject | signer | "if the block encoding is not valid" |
//! | `too-many-withdrawals` | reject | reject | signer | "if the block encoding is not valid" |
//! | `too-old` | reject | ignore | sender / nobody | "if the `payload.timestamp` is older than 60 seconds in the past"; on the cross-safe topic the sequencing window: ours |
//! | `from-the-future` | reject | reject | signer | "if the `payload.timestamp` is more than 5 seconds into the future" |
//! | `empty-transaction` | reject | reject | signer | "if the `block_hash` in the `payload` is not valid": no trie contains it |
//! | `base-fee-too-large` | reject | reject | signer | "if the `block_hash` in the `payload` is not valid": no header has it |
//! | `block-hash-mismatch` | reject | reject | signer | "if the `block_hash` in the `payload` is not valid" |
//! | `withdrawals-not-empty` | reject | reject | signer | "if the block is on a topic >= v2 and has a non-empty withdrawals list" |
//! | `blob-gas-before-jovian` | reject | reject | signer | "if the block is on a topic >= v3 and has a blob gas used value that is not zero"; allowed from Jovian on: op-node |
//! | `excess-blob-gas` | reject | reject | signer | "if the block is on a topic >= v3 and has an excess blob gas value that is not zero" |
//! | `already-settled` | — | ignore | nobody | ours: this block is known to be valid and is final; another one of its height is judged |
//! | `too-many-at-height` | reject | ignore | signer | "if more than 5 different blocks have been seen with the same block height"; the sixth is accepted: op-node; attributable attestations are not counted against replayable ones: ours |
//! | `already-seen` | ignore | ignore | nobody | "if the block has already been seen"; an attributable attestation is accepted once after a replayable one: ours |
//!
//! One signed block can be written in several ways without its key: with the twin `n - s` of the signature's
//! `s` and the other parity, with 4 added to the recovery id, with the snappy length in up to 10 bytes.
//! op-node accepts and relays each, and never sends the original after it. So all of them are read as the one
//! block that they are, and judged as usual; an accepted frame is kept in its canonical form (see
//! [`AuthenticFrame::frame`]).
//!
//! If signed blocks keep being outside the window, the clock is doubted, not the peers: see
//! [`MAX_OUT_OF_WINDOW`]. A block is remembered as seen only once it is valid by every other rule. Two rules
//! of the specification's list are not checked here: which fork a block's timestamp belongs to (op-node does
//! not check it either), and whether a block is local-safe, which this crate cannot know. The signature is
//! checked before the payload, as in op-node, though the specification's list has it last: bytes that anyone
//! could have sent never reach the decoder.

#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod authentic_frame;
mod block_signer;
mod chain_id;
mod clock;
mod envelope;
mod file_clock;
mod frame;
mod header_payload;
mod judgement;
mod keccak;
mod message_id;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "op-alloy")]
mod op_alloy_payload;
mod ordered_root;
mod payload;
mod payload_hash;
mod payload_layout;
mod payload_reader;
mod payload_version;
mod payload_writer;
mod reason;
mod refusal;
#[cfg(test)]
mod rule_rows;
mod rules;
#[cfg(test)]
mod sample;
mod seen_blocks;
mod settled_blocks;
mod signature;
mod signed_envelope;
mod signer;
mod signers;
mod signing_domain;
mod snappy;
mod topic;
mod two_cores;
mod valid_block;
mod validator;

pub use authentic_frame::{AuthenticFrame, recover_signers};
pub use block_signer::{BlockSigner, SignerError};
pub use chain_id::{ChainId, ParseChainIdError};
pub use clock::{Clock, SystemClock, UnixSeconds};
pub use envelope::Envelope;
pub use file_clock::{FileClock, FileClockError};
pub use frame::{Frame, MIN_FRAME_BYTES};
pub use header_payload::NoPayloadError;
pub use judgement::Judgement;
#[cfg(feature = "network")]
pub use libp2p::{Multiaddr, PeerId};
pub use message_id::{GossipMessageId, message_id};
#[cfg(all(fuzzing, feature = "network"))]
#[doc(hidden)]
pub use network::fuzzing;
#[cfg(feature = "network")]
pub use network::{
    BlockList, BlockListFull, Bootnode, ByTopic, ConnectError, ConnectionRefusal, Direction, DiscoveryConfig,
    DiscoveryView, FrameCounts, GateCommand, GateError, GaterLimits, IdentityError, KnownPeer, Network,
    NetworkClosed, NetworkConfig, NetworkCounters, NetworkEvent, NetworkHandle, NetworkTaskError,
    NoPeerIdError, NodeIdentity, OwnInfo, ParseBootnodeError, PeerFileError, PeerInfo, PublishError,
    RefusedCounts, ScoreInputs, Subnet, TooManyProtected, loopback_addr,
};
#[cfg(feature = "op-alloy")]
pub use op_alloy_payload::ConversionError;
pub use payload::{BlobFields, ExecutionPayload, VersionFields};
pub use payload_hash::{PayloadHash, signing_hash};
pub use payload_layout::MalformedPayload;
pub use payload_version::{GossipForkTimes, PayloadVersion};
pub use reason::{AtFault, Reason, RefusalVerdict};
pub use refusal::Refusal;
pub use rules::ValidationRules;
pub use seen_blocks::Rival;
pub use settled_blocks::{MAX_SETTLED_BLOCKS, SettledBlocks};
pub use signature::{RecoveredSigner, SIGNATURE_BYTES};
pub use signed_envelope::{SignError, SignedEnvelope};
pub use signer::{SignatureError, Signer, SigningRequest};
pub use signers::{PreviousSigner, SIGNER_GRACE_SECS, Signers};
pub use signing_domain::{ParseSigningDomainError, SigningDomain};
pub use snappy::MAX_FRAME_BYTES;
pub use topic::{ParseTopicError, Topic};
pub use valid_block::ValidBlock;
pub use validator::{MAX_OUT_OF_WINDOW, Validator};

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
