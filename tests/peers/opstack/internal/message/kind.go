// Package message sends cross-chain messages, valid ones and every kind of invalid one, as transactions of users. Hashes,
// identifiers and access lists are made by the OP Stack's own code. It never judges a message: it says what it made, and what is
// wrong with it.
package message

import "slices"

// Kind says what is wrong with a message.
type Kind string

// The kinds. Of a valid message nothing is wrong.
const (
	Valid          Kind = "valid"
	WrongHash      Kind = "wrong-hash"
	WrongTimestamp Kind = "wrong-timestamp"
	WrongIndex     Kind = "wrong-index"
	WrongOrigin    Kind = "wrong-origin"
	UnknownChain   Kind = "unknown-chain"
	Future         Kind = "future"
	Expired        Kind = "expired"
	SameTimestamp  Kind = "same-timestamp"
	Cycle          Kind = "cycle"
)

// reasons are Crosscheck's names for what is wrong.
var reasons = map[Kind]string{
	WrongHash:      "payload-mismatch",
	WrongTimestamp: "timestamp-mismatch",
	WrongIndex:     "log-not-found",
	WrongOrigin:    "wrong-origin",
	UnknownChain:   "unknown-chain",
	Future:         "initiated-after-execution",
	Expired:        "expired",
	Cycle:          "cycle",
}

// Invalid are the kinds that are invalid and need one block only.
var Invalid = []Kind{WrongHash, WrongTimestamp, WrongIndex, WrongOrigin, UnknownChain, Future, Expired}

// Kinds are all kinds.
var Kinds = slices.Concat([]Kind{Valid, SameTimestamp}, Invalid, []Kind{Cycle})

// Reason is Crosscheck's name for what is wrong. Empty: nothing is.
func (k Kind) Reason() string { return reasons[k] }

// IsValid says whether nothing is wrong.
func (k Kind) IsValid() bool { return k.Reason() == "" }
