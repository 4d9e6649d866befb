package scenario

import (
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/stack"
)

// usual is the stack of most scenarios.
var usual = stack.Options{Chains: 2, LagoonDelay: 30 * time.Second, Followers: true, Monitor: true}

// All are the scenarios, in the order in which they run.
var All = slices.Concat(beside, callers, otherNodes, unattested, killed(named(beside, "activation", "messages", "attested-lie", "unattested-lie",
	"replayed-lie")...), outageScenarios(), byHand, verifiedKinds())

// beside are those that run beside the usual stack, and look at verdicts.
var beside = []Scenario{
	{
		Name: "activation", Shows: "every real block from genesis over Lagoon's activation and past it",
		Stack: usual, Fresh: true, CI: true, Limit: 6 * time.Minute, run: activation,
	},
	{
		Name: "activation-during", Shows: "Crosscheck starts while Lagoon activates, beside two chains of one set and one of its own",
		Stack: starting, Fresh: true, Limit: 8 * time.Minute, run: activationDuring,
	},
	{
		Name: "activation-after", Shows: "the same, and Crosscheck starts when the activation blocks are final",
		Stack: starting, Limit: 8 * time.Minute, run: activationAfter,
	},
	{
		Name: "messages", Shows: "valid messages both ways, and every kind of invalid one",
		Stack: usual, CI: true, Limit: 12 * time.Minute, run: messages,
	},
	{
		Name: "quiet", Shows: "nothing is wrong: what Crosscheck asks for, and how far behind op-supernode it serves",
		Stack: usual, Limit: 12 * time.Minute, run: quiet,
	},
	{
		Name: "attested-lie", Shows: "a block with an invalid message that the sequencer attests",
		Stack: usual, CI: true, Limit: 6 * time.Minute, run: attestedLie,
	},
	{
		Name: "unattested-lie", Shows: "a block with an invalid message that nobody attests",
		Stack: usual, CI: true, Limit: 6 * time.Minute, run: unattestedLie,
	},
	{
		Name: "replayed-lie", Shows: "an attested lie, while a bystander replays every unsafe frame as an attestation",
		Stack: usual, CI: true, Limit: 6 * time.Minute, run: replayedLie,
	},
	{
		Name: "rewrapped", Shows: "an attacker without a key sends every block on in another form, before the mesh does",
		Stack: usual, CI: true, Limit: 6 * time.Minute, run: rewrapped,
	},
}

// withFilter is the usual stack without followers, and with op-interop-filter.
var withFilter = stack.Options{Chains: 2, LagoonDelay: 30 * time.Second, Filter: true}

// callers are those that look at what Crosscheck answers to others.
var callers = []Scenario{
	{
		Name: "filter", Shows: "op-interop-filter and Crosscheck are asked about the same access lists",
		Stack: withFilter, CI: true, Limit: 12 * time.Minute, run: filterBeside,
	},
	{
		Name: "clients", Shows: "Go's own clients read what Crosscheck serves, and lose nothing of it",
		Stack: withFilter, CI: true, Limit: 12 * time.Minute, run: clients,
	},
}

// byHand are those that take long.
var byHand = []Scenario{{
	Name: "storm", Shows: "invalid messages, L1 reorganisations and restarts at random; STORM_FOR=1h and --longer 1h for an hour of it",
	// Finality is as far behind as on Ethereum. op-supernode does not survive a replacement that is undone below a final block.
	Stack:  stack.Options{Chains: 2, LagoonDelay: 30 * time.Second, Followers: true, FinalityDistance: 64},
	ByHand: true, Limit: 20 * time.Minute, run: stormy,
}}
