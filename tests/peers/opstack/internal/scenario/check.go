// Package scenario says what must hold of a Crosscheck beside a real OP Stack, in each situation, and judges whether it did. What is known
// to fail stands in one table. It never makes a check pass that did not hold.
package scenario

import (
	"fmt"
	"slices"
	"sync"
)

// Check is one thing that a scenario looked at.
type Check struct {
	// Name says what must hold.
	Name string
	// Failure says what was seen instead. It is nil where the check held.
	Failure error
}

// Figure is a number that a scenario measured, for the report.
type Figure struct {
	Name  string
	Value string
	// IsDelay says that it is by how much something was earlier or later: it goes into the table.
	IsDelay bool
}

// Sheet collects what one scenario found. It is safe for concurrent use.
type Sheet struct {
	mu      sync.Mutex
	checks  []Check
	figures []Figure
	print   func(line string)
}

func newSheet(print func(line string)) *Sheet {
	return &Sheet{print: print}
}

// Check records whether something that must hold did: a nil failure says that it did. A name is used once in a
// scenario.
func (s *Sheet) Check(name string, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, earlier := range s.checks {
		if earlier.Name == name {
			failure = fmt.Errorf("two checks have this name")
		}
	}
	s.checks = append(s.checks, Check{Name: name, Failure: failure})
	if failure != nil {
		s.print(fmt.Sprintf("  failed: %s: %v", name, failure))
	} else {
		s.print(fmt.Sprintf("  passed: %s", name))
	}
}

// Figure records a number for the report.
func (s *Sheet) Figure(name, format string, args ...any) {
	s.figure(Figure{Name: name, Value: fmt.Sprintf(format, args...)})
}

// Delay records by how much something was earlier or later, for the report and the table.
func (s *Sheet) Delay(name, format string, args ...any) {
	s.figure(Figure{Name: name, Value: fmt.Sprintf(format, args...), IsDelay: true})
}

func (s *Sheet) figure(figure Figure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.figures = append(s.figures, figure)
	s.print(fmt.Sprintf("  %s: %s", figure.Name, figure.Value))
}

// Delays are the delays that were measured so far.
func (s *Sheet) Delays() []Figure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.figures), func(f Figure) bool { return !f.IsDelay })
}

// Checks are all that were made so far.
func (s *Sheet) Checks() []Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Check(nil), s.checks...)
}
