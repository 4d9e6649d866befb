package scenario

// Exceptions are the faults of Crosscheck that are known, each with a check that it makes fail. docs/PEERS.md has the same table.
var Exceptions = []Exception{
	{standstillUntold, "batches-held", "/readyz tells of it"},
	{standstillUntold, "batches-held-killed", "/readyz tells of it"},
}

const standstillUntold = "A safe head that has stood still for two minutes is told of nowhere"
