package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/stack"
)

// Suite runs scenarios.
type Suite struct {
	// Dir is where the stacks keep their data and logs.
	Dir string
	// Binary is the crosscheck program.
	Binary string
	Print  func(line string)
	// Table is the file to which a row of each scenario that passes is added: how long it took, and the delays that were measured.
	Table string
	// Aftermath is how long Crosscheck is watched after a replacement that its rollup node takes no part in. Zero: a minute.
	Aftermath time.Duration
	// Longer is how much longer than its limit each scenario may take.
	Longer time.Duration

	bed     *stack.Stack
	options stack.Options
}

// ErrFailed says that a scenario failed.
var ErrFailed = errors.New("not every scenario passed")

// Choose finds scenarios by their names, in the order in which they run. No names: all but those that must be named, or those of CI.
func Choose(names []string, ci bool) ([]Scenario, error) {
	for _, name := range names {
		if !slices.ContainsFunc(All, func(s Scenario) bool { return s.Name == name }) {
			return nil, fmt.Errorf("there is no scenario %q; --list names them", name)
		}
	}
	var chosen []Scenario
	for _, scenario := range All {
		usual := scenario.CI || !ci && !scenario.ByHand
		if slices.Contains(names, scenario.Name) || len(names) == 0 && usual {
			chosen = append(chosen, scenario)
		}
	}
	return chosen, nil
}

// Run runs scenarios one after the other, and prints a line for each, and how many passed.
func (s *Suite) Run(ctx context.Context, scenarios []Scenario) error {
	passed, failed, rows := 0, 0, ""
	for i := range scenarios {
		outcome := s.one(ctx, &scenarios[i])
		s.Print(outcome.Line())
		if err := appendRow(s.Table, outcome); err != nil {
			s.Print("  " + err.Error())
		}
		if outcome.Passed() {
			rows += outcome.Row()
		}
		if outcome.Passed() {
			passed++
		} else {
			failed++
		}
	}
	closing := s.close()
	if rows != "" {
		s.Print("\n" + TableHead + rows)
	}
	s.Print(fmt.Sprintf("%d passed, %d failed", passed, failed))
	if failed > 0 {
		return errors.Join(ErrFailed, closing)
	}
	return closing
}

func (s *Suite) one(ctx context.Context, scenario *Scenario) Outcome {
	began := time.Now()
	s.Print(fmt.Sprintf("%s: %s", scenario.Name, scenario.Shows))
	if err := s.prepare(ctx, scenario); err != nil {
		return Outcome{Scenario: scenario.Name, Failures: []string{fmt.Sprintf("the stack does not come up: %v", err)}}
	}
	sheet := scenario.do(ctx, s)
	outcome := judge(scenario.Name, sheet.Checks(), Exceptions)
	outcome.Took, outcome.Delays = time.Since(began), sheet.Delays()
	return outcome
}

// prepare brings up the stack that a scenario needs, unless it runs already.
func (s *Suite) prepare(ctx context.Context, scenario *Scenario) error {
	if s.bed != nil && s.options == scenario.Stack && !scenario.Fresh {
		return nil
	}
	if err := s.close(); err != nil {
		s.Print(fmt.Sprintf("  the last stack did not end well: %v", err))
	}
	dir, err := os.MkdirTemp(s.Dir, "stack-")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	began := time.Now()
	bed, err := stack.Start(ctx, dir, scenario.Stack)
	if err != nil {
		return err
	}
	s.Print(fmt.Sprintf("  the stack came up in %s", time.Since(began).Round(100*time.Millisecond)))
	s.bed, s.options = bed, scenario.Stack
	return nil
}

// startLimit bounds how long a stack may take to come up, generously.
const startLimit = 2 * time.Minute

func (s *Suite) close() error {
	if s.bed == nil {
		return nil
	}
	err := s.bed.Close()
	s.bed = nil
	return err
}
