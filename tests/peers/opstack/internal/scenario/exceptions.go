package scenario

// Exceptions are the faults of Crosscheck that are known, each with a check that it makes fail.
var Exceptions = []Exception{}
