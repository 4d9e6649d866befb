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
	{replayTakesPlace, "replayed-lie", "it is attributable"},
	{replayTakesPlace, "replayed-lie", "genuine attestations are kept as attributable, though replays came first"},
}

const (
	activationOpen   = "Crosscheck does not know Lagoon's upgrade transactions: the activation block and its child stay open"
	activationHolds  = "The open activation block holds the vouched head, and followers with it, for ever"
	withdrawnServed  = "A local-safe block that was proven invalid, and that op-supernode has withdrawn, is still served to followers"
	replayTakesPlace = "A replay of a block's unsafe frame takes the place of the genuine attestation, which is refused as seen already"
)
