package accesslist

import "fmt"

// Right says whose answer is the right one by the specification.
type Right string

// Who is right.
const (
	Ours   Right = "Crosscheck"
	Theirs Right = "op-interop-filter"
	Either Right = "either"
)

// Difference is an answer that differs, and is known to. docs/PEERS.md has the same table.
type Difference struct {
	// What is asked.
	What string
	// Families are the questions that are answered so.
	Families []string
	// Filter and Crosscheck are the codes that they answer. Refused stands for any but Valid.
	Filter, Crosscheck int
	Right              Right
	Why                string
}

// Refused stands for any code but Valid.
const Refused = 1

// The families of questions that are answered differently.
const (
	famActivation   = "a message of the activation block"
	famFuture       = "a block that is not there yet, at a time that is not there yet"
	famEndOfTime    = "initiated at the end of time"
	famGenesis      = "block 0, at a later time"
	famRandom       = "random"
	famStranger     = "executed by a stranger"
	famChainZero    = "executed by chain 0"
	famNoDescriptor = "no descriptor"
	famNoTime       = "no timestamp"
	famLenient      = "numbers and parameters in other spellings"
	famGoSpelling   = "spellings that only Go's decoder takes"
)

// Known are all differences that are known. One that does not occur any more is a fault, as one that is not listed.
var Known = []Difference{
	{
		"a message of the activation block or before", []string{famActivation}, Valid, -320600, Ours,
		"the activation block itself initiates nothing; the filter checks no activation",
	},
	{
		"a block and a time that are not there yet", []string{famFuture}, -321100, -321401, Ours,
		"it is future data; the filter looks at how far it has read first",
	},
	{
		"initiated at the end of time", []string{famEndOfTime}, -321100, -320600, Ours,
		"it can never be executed, whatever is read later",
	},
	{
		"block 0 at another time than its own", []string{famGenesis}, -320500, -320600, Ours,
		"block 0 has another timestamp; the filter's database begins above it",
	},
	{
		"several entries that do not hold", []string{famRandom}, Refused, Refused, Either,
		"the filter names the first; Crosscheck reads all, then looks at chains and times, then at blocks",
	},
	{
		"an executing chain that neither of them watches", []string{famStranger, famChainZero}, -320501, -32603, Ours,
		"that a chain is not configured says nothing of its messages; a caller takes -320501 for \"invalid\"",
	},
	{
		"a descriptor that is null or empty", []string{famNoDescriptor}, -320501, -32602, Either,
		"Go reads zeros, and knows no chain 0",
	},
	{
		"a descriptor without a timestamp", []string{famNoTime}, -320600, -32602, Either,
		"Go reads zero, before every message",
	},
	{
		"numbers, hex and parameters in other spellings", []string{famLenient}, -32602, Valid, Either,
		"Crosscheck takes JSON numbers, decimal and hex alike, and parameters by name",
	},
	{
		"0X, keys in upper case or twice", []string{famGoSpelling}, Valid, -32602, Either,
		"Go's decoder takes them",
	},
}

// Compare holds two answers to a question against each other. It gives the place in Known of a difference that is known, or -1 where there
// is none. Not ok: they differ as nobody knows of.
func Compare(family string, filter, crosscheck Answer) (known int, ok bool) {
	if filter.Code == crosscheck.Code {
		return -1, true
	}
	for i, difference := range Known {
		for _, each := range difference.Families {
			if each == family && is(difference.Filter, filter.Code) && is(difference.Crosscheck, crosscheck.Code) {
				return i, true
			}
		}
	}
	return -1, false
}

func is(listed, answered int) bool {
	return listed == answered || listed == Refused && answered != Valid
}

// Row is the difference as docs/PEERS.md has it.
func (d Difference) Row() string {
	code := func(code int) string {
		switch code {
		case Valid:
			return "`null`"
		case Refused:
			return "refused"
		default:
			return fmt.Sprintf("%d", code)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", d.What, code(d.Filter), code(d.Crosscheck), d.Right, d.Why)
}
