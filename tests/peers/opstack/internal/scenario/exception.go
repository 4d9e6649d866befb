package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Exception is a check that is known to fail, with the fault of Crosscheck that makes it fail. The check is written
// as it must be. An exception whose check holds fails the test: then it must go.
type Exception struct {
	Fault    string
	Scenario string
	Check    string
}

// Outcome is a scenario's result, judged with the exceptions.
type Outcome struct {
	Scenario string
	Checks   int
	Took     time.Duration
	// Delays are those that were measured, for the table.
	Delays []Figure
	// Known are the faults of the exceptions that occurred.
	Known []string
	// Failures are the failed checks that no exception names, the exceptions that did not occur, and the
	// exceptions' checks that were never made.
	Failures []string
}

// Passed says whether nothing but known exceptions failed.
func (o Outcome) Passed() bool {
	return len(o.Failures) == 0
}

// Line is what is printed of a scenario.
func (o Outcome) Line() string {
	word := "passed"
	if !o.Passed() {
		word = "FAILED"
	}
	line := fmt.Sprintf("%s %s in %s: %d checks", word, o.Scenario, o.Took.Round(time.Second), o.Checks)
	if len(o.Known) > 0 {
		line += fmt.Sprintf(", known to fail: %s", strings.Join(o.Known, "; "))
	}
	for _, failure := range o.Failures {
		line += "\n    " + failure
	}
	return line
}

// judge holds the checks of a scenario against the exceptions. A scenario that made no check has failed.
func judge(scenario string, checks []Check, exceptions []Exception) Outcome {
	outcome := Outcome{Scenario: scenario, Checks: len(checks)}
	if len(checks) == 0 {
		outcome.Failures = append(outcome.Failures, "no check was made")
	}
	made := map[string]bool{}
	for _, check := range checks {
		made[check.Name] = true
		exception := find(exceptions, scenario, check.Name)
		switch {
		case check.Failure == nil && exception == nil:
		case check.Failure != nil && exception != nil:
			if !slices.Contains(outcome.Known, exception.Fault) {
				outcome.Known = append(outcome.Known, exception.Fault)
			}
		case check.Failure != nil:
			outcome.Failures = append(outcome.Failures, fmt.Sprintf("%s: %v", check.Name, check.Failure))
		default:
			outcome.Failures = append(outcome.Failures,
				fmt.Sprintf("%s: holds now, so the exception %q must go", check.Name, exception.Fault))
		}
	}
	for _, exception := range exceptions {
		if exception.Scenario == scenario && !made[exception.Check] {
			outcome.Failures = append(outcome.Failures,
				fmt.Sprintf("%s: was not checked, though an exception names it", exception.Check))
		}
	}
	return outcome
}

func find(exceptions []Exception, scenario, check string) *Exception {
	for i := range exceptions {
		if exceptions[i].Scenario == scenario && exceptions[i].Check == check {
			return &exceptions[i]
		}
	}
	return nil
}
