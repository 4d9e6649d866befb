//! [`ChainConfig`]: one chain, its endpoints and its signers.

use super::form::{any_duration, choice, list, list_or_numbers, text, text_or_list, whole};
use super::section::section;
use super::values::{hours, mins};
use super::{DurationSetting, NodeList, P2pConfig};
use crate::sources::EndpointUrl;
use alloy::primitives::Address;
use crosscheck_core::consolidation::ReplacementRule;
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::validity::ChainRules;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;

section! {
    /// One section for each watched chain, named after its chain id (decimal or 0x-hex). There is no default.
    pub struct ChainConfig at "", per_chain: true {
        /// The chain's execution clients, at least one.
        execution: Vec<EndpointUrl> = Vec::new(), list("different http:// or https:// URLs")
            .required()
            .example("[\"http://127.0.0.1:9545\"]");

        /// How many of them must agree on the block at a height. A client that disagrees is outvoted and
        /// reported.
        quorum: Option<usize> = None, whole(1..=u64::MAX)
            .limited("and at most the number of the chain's execution URLs")
            .unset("more than half of them (1 of 1, 2 of 2, 2 of 3)")
            .example("1");

        /// The chain's rollup node, which derives it from L1. Of a list, such as
        /// ["http://127.0.0.1:7545", "http://10.0.0.2:7545"], the first node that reports heads, sees L1 and
        /// follows this chain is used. A node that does not answer within two seconds, or is behind the heads
        /// of another one, is skipped until it recovers. Differences between the nodes (rollup configuration,
        /// dependency set, heads) are reported; while their configurations differ the chain is not ready.
        #[serde(skip_serializing_if = "NodeList::is_empty")]
        rollup_node: NodeList = NodeList::default(), text_or_list("an http:// or https:// URL, or a list of different ones")
            .unset("the chain is only monitored: its messages are tracked from its execution clients (by the labels latest, safe and \
                    finalized), and other chains' messages are checked against it, but its gossip is not joined, its blocks are not \
                    audited, followers are not served, and no signer is needed")
            .example("\"http://127.0.0.1:7545\"");

        /// What the rollup node's safe head means. Without a rollup node it is the meaning of the execution
        /// clients' label "safe", local-safe by default. An op-node that follows a source only repeats that
        /// source; a warning is logged.
        safe_means: Option<SafeMeans> = None, choice(&[
            ("cross-safe", "the node verifies the block's messages first, as op-supernode does; an invalid message in such a block is a consensus failure"),
            ("local-safe", "the node has derived the block from L1, as a plain op-node or kona-node does"),
        ])
            .unset("learnt from the rollup node (cross-safe for an op-supernode, otherwise local-safe)")
            .example("\"cross-safe\"");

        /// The time between two blocks.
        block_time: u64 = 0, whole(1..=u64::MAX).of("seconds")
            .required()
            .if_named("the block time of the network")
            .example("2");

        /// The activation time of interop. It is 0 if interop was always active, and 9223372036854775807 if
        /// it never activates.
        interop_time: Option<u64> = None, whole(0..=u64::MAX).of("seconds since 1970")
            .unset("the value of the rollup node; until it is known, messages of the chain are unknown. Required without a rollup \
                    node, unless the network is named")
            .if_named("the time that this build knows for the network, if it was announced")
            .example("0");

        /// The dependency set of the chain: the chains whose messages it may execute. It may contain the
        /// chain itself. The section of another chain never extends it. If the rollup node reports another
        /// value for this, for interop_time, for block_time or for a fork of a named network, the chain is
        /// not ready until one of them is corrected. If this build has no time for a fork of a named network,
        /// the node's time is used.
        dependency_set: Option<BTreeSet<ChainId>> = None,
            list_or_numbers("chain ids, numbers or strings (901, \"901\", \"0x385\"), each with a [chains.<id>] section")
            .unset("the value of the rollup node. Required without a rollup node, unless the network is named")
            .if_named("the published dependency set of the network")
            .example("[\"901\"]");

        /// The chain's SystemConfig on L1, which names the unsafe block signer. Needs l1.execution.
        system_config: Option<Address> = None, text("the address of the chain's SystemConfig on L1")
            .unset("unsafe_block_signer is required, unless the network is named or the chain is only monitored")
            .if_named("the SystemConfig of the network, if rollup_node is set")
            .example("\"0x1111111111111111111111111111111111111111\"");

        /// The unsafe block signer, instead of the one on L1.
        unsafe_block_signer: Option<Address> = None, text("the address of the signer")
            .unset("the one that system_config names on L1")
            .example("\"0x2222222222222222222222222222222222222222\"");

        /// The signer of cross-safe attestations.
        attester: Option<Address> = None, text("the address of the attester")
            .unset("the unsafe block signer")
            .example("\"0x3333333333333333333333333333333333333333\"");

        /// What replaces an invalid block.
        replacement: ReplacementRule = ReplacementRule::default(), choice(&[
            ("deposits-only", "its deposits"),
            ("with-optimistic-block-deposit", "its deposits and one more: devnets from before April 2026"),
        ]);

        /// With follow.mode "clamp": the node whose status is clamped. What it calls safe is audited like a
        /// claimant's.
        follow_upstream: Option<EndpointUrl> = None, text("an http:// or https:// URL that is not Crosscheck's own")
            .unset("the rollup node")
            .example("\"http://127.0.0.1:7000/901/\"");

        /// Endpoints whose safe head is taken as a claim: op-supernodes (http://<addr>/<chain id>/), proxyd,
        /// other Crosschecks, or nodes that follow one of these. Every block that one of them calls safe is
        /// audited, with all below it. One that calls an invalid block safe is reported, and so are two that
        /// call different blocks of one height safe. No signer is accused of it. An endpoint is believed to
        /// verify messages once its safe head was below its local-safe head, or if it is an op-supernode.
        claimants: Vec<EndpointUrl> = Vec::new(), list("different http:// or https:// URLs")
            .example("[\"http://10.0.0.3:7000/901/\"]");

        /// How long the chain's unsafe head, and the latest block of its execution clients, may not move
        /// before that is reported. It is reported on /readyz as not ready, in the log and in
        /// crosscheck_head_still_seconds. After a block was replaced the unsafe head does not move until
        /// finality has passed it: then that reason is reported, without a warning.
        unsafe_stall: DurationSetting = DurationSetting(mins(1)), any_duration();

        /// The same for its local-safe head, and for its safe head if that is a different one. It must be
        /// longer than the time between two batches: a chain with little traffic may post one in hours. A
        /// served head of another chain that waits for one of this chain's heads is reported after the same
        /// time.
        safe_stall: DurationSetting = DurationSetting(hours(1)), any_duration();

        /// The same for the latest block of L1 (l1.execution), and for the rollup node's current L1 block.
        l1_stall: DurationSetting = DurationSetting(mins(3)), any_duration();

        /// The same for the vouched head, while the chain's local-safe head is above it: attestations
        /// stopped, a block waits for its verdict, or an invalid block holds the head. It does not apply to a
        /// chain without any attestation or claim so far.
        vouched_stall: DurationSetting = DurationSetting(mins(10)), any_duration();
    }
    and {
        /// Its gossip.
        p2p: P2pConfig = P2pConfig::default();
    }
}

impl ChainConfig {
    /// How many execution clients must agree on which block is canonical.
    pub fn quorum(&self) -> usize {
        let majority = (self.execution.len() / 2).saturating_add(1);
        self.quorum.unwrap_or(majority)
    }

    /// What is set of its interop rules.
    pub(super) fn rules(&self, chain_id: ChainId) -> ChainRules {
        let with_itself = |set: &BTreeSet<ChainId>| set.iter().copied().chain([chain_id]).collect();
        ChainRules {
            block_time: self.block_time,
            interop_time: self.interop_time.map(UnixSeconds),
            dependencies: self.dependency_set.as_ref().map(with_itself),
        }
    }

    /// Whether only its messages are tracked, from its execution clients: there is no gossip, no audit and
    /// nothing to follow.
    pub const fn is_monitored_only(&self) -> bool {
        self.rollup_node.is_empty()
    }
}
