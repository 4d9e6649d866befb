//! [`Limit`]: every bound of the program that is counted when it is reached.

/// A bound of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Blocks of a chain without a verdict.
    OpenCases,
    /// Refused frames that are remembered.
    Refusals,
    /// Messages to the auditor.
    AuditorInbox,
    /// Blocks that one message rests on.
    Closure,
    /// Access lists that wait for blocks.
    ColdChecks,
    /// Memory of requests to the followers' server.
    FollowBodies,
    /// Connections to the followers' server.
    FollowConnections,
    /// Time to read a request to the followers' server.
    FollowSlowRequests,
    /// Frames that wait to be judged.
    GossipQueue,
    /// Events of the gossip network.
    GossipEvents,
    /// Connections of the gossip network.
    GossipConnections,
    /// Requests for blocks by peers.
    GossipRequests,
    /// Blocks that are known to be invalid.
    InvalidBlocks,
    /// Messages to the monitor.
    MonitorInbox,
    /// Pairs of attested blocks of one height.
    RivalInbox,
    /// Memory of requests to the RPC server.
    RpcBodies,
    /// Connections to the RPC server.
    RpcConnections,
    /// Time to read a request to the RPC server.
    RpcSlowRequests,
    /// Calls of one websocket at a time.
    RpcWebsocketCalls,
    /// Websockets of the RPC server.
    RpcWebsockets,
    /// Suspects that wait to be confirmed.
    SuspectConfirmation,
    /// Blocks that wait to be looked through for suspects.
    SuspectInbox,
    /// Suspects of one block.
    SuspectsPerBlock,
    /// Messages that are tracked.
    TrackedMessages,
}

impl Limit {
    /// Every bound.
    pub const ALL: [Self; 24] = [
        Self::OpenCases,
        Self::Refusals,
        Self::AuditorInbox,
        Self::Closure,
        Self::ColdChecks,
        Self::FollowBodies,
        Self::FollowConnections,
        Self::FollowSlowRequests,
        Self::GossipQueue,
        Self::GossipEvents,
        Self::GossipConnections,
        Self::GossipRequests,
        Self::InvalidBlocks,
        Self::MonitorInbox,
        Self::RivalInbox,
        Self::RpcBodies,
        Self::RpcConnections,
        Self::RpcSlowRequests,
        Self::RpcWebsocketCalls,
        Self::RpcWebsockets,
        Self::SuspectConfirmation,
        Self::SuspectInbox,
        Self::SuspectsPerBlock,
        Self::TrackedMessages,
    ];

    /// Its name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenCases => "open-cases",
            Self::Refusals => "refusals",
            Self::AuditorInbox => "auditor-inbox",
            Self::Closure => "closure",
            Self::ColdChecks => "cold-checks",
            Self::FollowBodies => "follow-bodies",
            Self::FollowConnections => "follow-connections",
            Self::FollowSlowRequests => "follow-slow-requests",
            Self::GossipQueue => "gossip-queue",
            Self::GossipEvents => "gossip-events",
            Self::GossipConnections => "gossip-connections",
            Self::GossipRequests => "gossip-requests",
            Self::InvalidBlocks => "invalid-blocks",
            Self::MonitorInbox => "monitor-inbox",
            Self::RivalInbox => "rival-inbox",
            Self::RpcBodies => "rpc-bodies",
            Self::RpcConnections => "rpc-connections",
            Self::RpcSlowRequests => "rpc-slow-requests",
            Self::RpcWebsocketCalls => "rpc-websocket-calls",
            Self::RpcWebsockets => "rpc-websockets",
            Self::SuspectConfirmation => "suspect-confirmation",
            Self::SuspectInbox => "suspect-inbox",
            Self::SuspectsPerBlock => "suspects-per-block",
            Self::TrackedMessages => "tracked-messages",
        }
    }
}
