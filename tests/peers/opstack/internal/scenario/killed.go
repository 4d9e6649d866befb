package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/sidecar"
)

// slowly is how long after genesis Lagoon activates where everything must stand before it.
const slowly = 3 * time.Minute

// killed are the same scenarios, and Crosscheck is killed at the point that matters most in each.
func killed(scenarios ...Scenario) []Scenario {
	variants := slices.Clone(scenarios)
	for i := range variants {
		variant := &variants[i]
		variant.Name += "-killed"
		variant.Shows += ", and Crosscheck is killed meanwhile"
		variant.CI, variant.killed = false, true
		if variant.Fresh {
			// What is killed at the activation must be there before it, however slowly the stack comes up.
			variant.Stack.LagoonDelay = slowly
			variant.Limit += slowly
		}
	}
	return variants
}

// named finds scenarios by their names.
func named(scenarios []Scenario, names ...string) []Scenario {
	return slices.DeleteFunc(slices.Clone(scenarios), func(s Scenario) bool { return !slices.Contains(names, s.Name) })
}

// crash kills Crosscheck as kill -9 does and starts it again on the same data, where the scenario asks for it. Otherwise nothing happens.
func (r *Run) crash(ctx context.Context, crosscheck *sidecar.Process) error {
	if !r.killed {
		return nil
	}
	crosscheck.Kill()
	return crosscheck.Restart(ctx)
}

// toldOnce holds that nothing was told twice, and that all that was decided was told, whatever happened in between.
func (r *Run) toldOnce(ctx context.Context, client *sidecar.Client) error {
	// The events are read last: what was decided before is among them.
	attestations, err := client.Attestations(ctx, 0)
	if err != nil {
		return err
	}
	found, err := client.Messages(ctx, sidecar.MessageFilter{Status: sidecar.MessageInvalid})
	if err != nil {
		return err
	}
	events, err := client.Told(ctx, 0)
	if err != nil {
		return err
	}
	var twice error
	for _, subject := range sidecar.ToldTwice(events) {
		twice = errors.Join(twice, errors.New(subject))
	}
	r.Check("nothing is told twice", twice)
	r.Check("each verdict and each invalid message is told", untold(attestations, found, events))
	return nil
}

// untold names the decided blocks and the invalid messages of which no event tells.
func untold(attestations []sidecar.Attestation, found []sidecar.Message, events []sidecar.Told) error {
	told := map[string]bool{}
	for i := range events {
		switch event := &events[i]; event.Kind {
		case sidecar.ToldVerdict:
			told[verdictName(event.Block, event.Verdict)] = true
		case sidecar.ToldInvalid, sidecar.ToldFlip:
			if event.LogIndex != nil {
				told[messageName(event.Executing.BlockKey, *event.LogIndex)] = true
			}
		}
	}
	var lost error
	for i := range attestations {
		a := &attestations[i]
		if name := verdictName(a.BlockKey, a.Verdict); a.IsDecided() && !told[name] {
			lost = errors.Join(lost, errors.New(name))
		}
	}
	for i := range found {
		if name := messageName(found[i].Executing.BlockKey, found[i].LogIndex); !told[name] {
			lost = errors.Join(lost, errors.New(name))
		}
	}
	return lost
}

func verdictName(block sidecar.BlockKey, verdict string) string {
	return fmt.Sprintf("%s: %s", block, verdict)
}

func messageName(block sidecar.BlockKey, log uint64) string {
	return fmt.Sprintf("the message of log %d of %s", log, block)
}
