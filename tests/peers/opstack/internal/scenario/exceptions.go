package scenario

// Exceptions are the faults of Crosscheck that are known, each with a check that it makes fail. docs/PEERS.md has the same table.
var Exceptions = []Exception{
	{activationOpen, "activation", "chain 901: the activation block and its child are upheld"},
	{activationOpen, "activation", "chain 902: the activation block and its child are upheld"},
	{activationHolds, "activation", "chain 901: the vouched head passes the activation block"},
	{activationHolds, "activation", "chain 902: the vouched head passes the activation block"},
	{activationHolds, "activation", "chain 901: our follower's safe head passes the activation block"},
	{activationHolds, "activation", "chain 902: our follower's safe head passes the activation block"},
	{withdrawnServed, "unattested-lie", "the block is not served as local-safe once it is proven invalid"},
	{standstillUntold, "batches-held", "/readyz tells of it"},
	{standstillUntold, "batches-held-killed", "/readyz tells of it"},
	{reorgStops, "l1-reorg-7", "the vouched head moves on, on chain 1 of the two"},
	{reorgStops, "l1-reorg-7", "our follower's safe head moves on, on chain 1 of the two"},
	{reorgStops, "l1-reorg-7", "the vouched head moves on, on chain 2 of the two"},
	{reorgStops, "l1-reorg-7", "our follower's safe head moves on, on chain 2 of the two"},
	{reorgStops, "l1-reorg-7", "it is ready in the end"},
	{reorgStops, "l1-reorg-7-killed", "the vouched head moves on, on chain 1 of the two"},
	{reorgStops, "l1-reorg-7-killed", "our follower's safe head moves on, on chain 1 of the two"},
	{reorgStops, "l1-reorg-7-killed", "the vouched head moves on, on chain 2 of the two"},
	{reorgStops, "l1-reorg-7-killed", "our follower's safe head moves on, on chain 2 of the two"},
	{reorgStops, "l1-reorg-7-killed", "it is ready in the end"},
	{replayTakesPlace, "replayed-lie", "it is attributable"},
	{replayTakesPlace, "replayed-lie", "genuine attestations are kept as attributable, though replays came first"},
	{activationOpen, "lone-chain", "the lone chain: the activation block and its child are upheld"},
	{activationHolds, "lone-chain", "the lone chain: the vouched head passes the activation block"},
	{noHeadsAreHeads, "kona-node", "it is not ready while kona-node names no heads"},
	{noHeadsAreHeads, "kona-node", "it names no heads while kona-node names none"},
	{monitorSpins, "stale-answer", "no warning is told again and again"},
	{monitorSpins, "stale-answer", "it is not ready, and names the chain"},
	{zerosRead, "clients", "SuperNodeClient: superroot_atTimestamp comes back the same"},
	{noSupernodeStatus, "clients", "SuperNodeClient: the status"},
}

const (
	activationOpen    = "Crosscheck does not know Lagoon's upgrade transactions: the activation block and its child stay open"
	activationHolds   = "The open activation block holds the vouched head, and followers with it, for ever"
	withdrawnServed   = "A local-safe block that was proven invalid, and that op-supernode has withdrawn, is still served to followers"
	standstillUntold  = "A safe head that has stood still for two minutes is told of nowhere"
	reorgStops        = "An L1 reorganisation that drops the vouched head stops that head for ever, and followers with it"
	replayTakesPlace  = "A replay of a block's unsafe frame takes the place of the genuine attestation, which is refused as seen already"
	noHeadsAreHeads   = "A rollup node that names no heads counts as one whose heads are at height 0, and Crosscheck as ready"
	monitorSpins      = "An execution client whose blocks by number do not link up makes the monitor go round without a pause, and ready all the while"
	zerosRead         = "The optimistic outputs of `superroot_atTimestamp` have an older shape, which Go reads as zeros"
	noSupernodeStatus = "`supernode_syncStatus` is not served"
)
