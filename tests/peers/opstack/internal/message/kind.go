// Package message sends cross-chain messages, valid ones and every kind of invalid one, as transactions of users. Hashes,
// identifiers and access lists are made by the OP Stack's own code. It never judges a message: it says what it made, and what is
// wrong with it.
package message

import "slices"

// Kind says what is wrong with a message.
type Kind string

// The kinds. Of a valid message nothing is wrong.
const (
	// Valid cites a log as it is.
	Valid Kind = "valid"
	// WrongHash cites a log with another payload.
	WrongHash Kind = "wrong-hash"
	// WrongTimestamp cites a block with the timestamp of the one before it.
	WrongTimestamp Kind = "wrong-timestamp"
	// WrongIndex cites a log that the block does not have.
	WrongIndex Kind = "wrong-index"
	// WrongOrigin cites a log as another contract's.
	WrongOrigin Kind = "wrong-origin"
	// UnknownChain cites a chain outside the dependency set.
	UnknownChain Kind = "unknown-chain"
	// Future cites a log that is made in the block after its execution, and then really is.
	Future Kind = "future"
	// Expired cites a log that is older than the expiry window.
	Expired Kind = "expired"
	// SameTimestamp cites a log of a block with the timestamp of its execution. It is valid.
	SameTimestamp Kind = "same-timestamp"
	// Cycle is two messages of one timestamp that wait for each other.
	Cycle Kind = "cycle"
)

// reasons are Crosscheck's names for what is wrong, the usual one first.
//
// Of an expired message two things can be wrong. A network that began a moment ago has nothing that old: a timestamp before the
// expiry window is before interop's activation, too, and both op-supernode and Crosscheck look at activation first. With a
// short window in the dependency set the message is a true one that has really expired.
var reasons = map[Kind][]string{
	WrongHash:      {"payload-mismatch"},
	WrongTimestamp: {"timestamp-mismatch"},
	WrongIndex:     {"log-not-found"},
	WrongOrigin:    {"wrong-origin"},
	UnknownChain:   {"unknown-chain"},
	Future:         {"initiated-after-execution"},
	Expired:        {"not-active", "expired"},
	Cycle:          {"cycle"},
}

// Invalid are the kinds that are invalid and need one block only.
var Invalid = []Kind{WrongHash, WrongTimestamp, WrongIndex, WrongOrigin, UnknownChain, Future, Expired}

// Kinds are all kinds.
var Kinds = slices.Concat([]Kind{Valid, SameTimestamp}, Invalid, []Kind{Cycle})

// Reason is Crosscheck's usual name for what is wrong. Empty: nothing is.
func (k Kind) Reason() string {
	if k.IsValid() {
		return ""
	}
	return reasons[k][0]
}

// Reasons are all names that may be given for what is wrong. Empty: nothing is.
func (k Kind) Reasons() []string { return slices.Clone(reasons[k]) }

// Accepts says whether a name is one for what is wrong.
func (k Kind) Accepts(reason string) bool { return slices.Contains(reasons[k], reason) }

// IsValid says whether nothing is wrong.
func (k Kind) IsValid() bool { return len(reasons[k]) == 0 }
