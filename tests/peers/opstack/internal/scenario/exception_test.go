package scenario

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	known := []Exception{{Fault: "a fault", Scenario: "s", Check: "known"}}
	failed := errors.New("seen otherwise")
	rows := []struct {
		name   string
		checks []Check
		known  int
		// fails is a part of the only failure. Empty: the scenario passes.
		fails string
	}{
		{"all holds", []Check{{Name: "a"}, {Name: "known", Failure: failed}}, 1, ""},
		{"nothing checked", nil, 0, "no check was made"},
		{"a failure", []Check{{Name: "a", Failure: failed}, {Name: "known", Failure: failed}}, 1, "a: seen otherwise"},
		{"an exception that is gone", []Check{{Name: "known"}}, 0, "must go"},
		{"an exception that was not checked", []Check{{Name: "a"}}, 0, "was not checked"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			outcome := judge("s", row.checks, known)
			require.Len(t, outcome.Known, row.known)
			require.Equal(t, row.fails == "", outcome.Passed(), outcome.Line())
			require.Contains(t, strings.Join(outcome.Failures, "\n"), row.fails)
		})
	}
}

func TestExceptionOfAnotherScenario(t *testing.T) {
	known := []Exception{{Fault: "a fault", Scenario: "other", Check: "a"}}
	outcome := judge("s", []Check{{Name: "a", Failure: errors.New("seen otherwise")}}, known)
	require.False(t, outcome.Passed())
}

func TestCheckNamesAreUsedOnce(t *testing.T) {
	sheet := newSheet(func(string) {})
	sheet.Check("a", nil)
	sheet.Check("a", nil)
	require.Error(t, sheet.Checks()[1].Failure)
}
