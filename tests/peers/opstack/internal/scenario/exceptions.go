package scenario

// Exceptions are the faults of Crosscheck that are known, each with a check that it makes fail. docs/PEERS.md has the same table.
var Exceptions = []Exception{}
