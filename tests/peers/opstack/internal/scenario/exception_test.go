package scenario

import (
	"errors"
	"fmt"
	"os"
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

// docs/PEERS.md lists each fault with its scenarios, and nothing else.
func TestExceptionsAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../../../../../docs/PEERS.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(document), "| known fault | scenario |\n| --- | --- |\n")
	require.True(t, found, "docs/PEERS.md has no table of known faults")
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string]bool{}
	for _, row := range strings.Split(strings.TrimSpace(table), "\n") {
		documented[row] = true
	}
	known := map[string]bool{}
	for _, exception := range Exceptions {
		known[fmt.Sprintf("| %s | `%s` |", exception.Fault, exception.Scenario)] = true
	}
	if len(known) == 0 {
		known["| none | |"] = true
	}
	require.Equal(t, known, documented)
}

// docs/PEERS.md says what each scenario is about.
func TestScenariosAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../../../../../docs/PEERS.md")
	require.NoError(t, err)
	for _, scenario := range All {
		require.Contains(t, string(document), "`"+strings.TrimSuffix(scenario.Name, "-killed")+"`")
	}
}

// An exception names a scenario that there is.
func TestExceptionsAreOfScenarios(t *testing.T) {
	for _, exception := range Exceptions {
		_, err := Choose([]string{exception.Scenario}, false)
		require.NoError(t, err)
	}
}

func TestScenariosOfCIAreChosen(t *testing.T) {
	all, err := Choose(nil, false)
	require.NoError(t, err)
	ci, err := Choose(nil, true)
	require.NoError(t, err)
	require.NotEmpty(t, ci)
	require.Less(t, len(ci), len(all))
	_, err = Choose([]string{"no such scenario"}, false)
	require.Error(t, err)
}

func TestCheckNamesAreUsedOnce(t *testing.T) {
	sheet := newSheet(func(string) {})
	sheet.Check("a", nil)
	sheet.Check("a", nil)
	require.Error(t, sheet.Checks()[1].Failure)
}
