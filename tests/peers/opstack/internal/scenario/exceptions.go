package scenario

// Exceptions are the faults of Crosscheck that are known, each with a check that it makes fail. docs/PEERS.md has the same table.
var Exceptions = []Exception{
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
	{zerosRead, "clients", "SuperNodeClient: superroot_atTimestamp comes back the same"},
	{noSupernodeStatus, "clients", "SuperNodeClient: the status"},
}

const (
	standstillUntold  = "A safe head that has stood still for two minutes is told of nowhere"
	reorgStops        = "An L1 reorganisation that drops the vouched head stops that head for ever, and followers with it"
	zerosRead         = "The optimistic outputs of `superroot_atTimestamp` have an older shape, which Go reads as zeros"
	noSupernodeStatus = "`supernode_syncStatus` is not served"
)
