package scenario

import (
	"fmt"
	"os"
	"strings"
)

// TableHead begins the table of times and delays, as docs/PEERS.md has it.
const TableHead = "| scenario | seconds | delays measured |\n| --- | --- | --- |\n"

// Row is the scenario's row of that table.
func (o Outcome) Row() string {
	parts := make([]string, 0, len(o.Delays))
	for _, delay := range o.Delays {
		parts = append(parts, delay.Name+": "+delay.Value)
	}
	return fmt.Sprintf("| `%s` | %.0f | %s |\n", o.Scenario, o.Took.Seconds(), strings.Join(parts, "; "))
}

// appendRow adds a row to the file with the table, which begins with its head. A scenario that failed has no row.
func appendRow(path string, outcome Outcome) error {
	if !outcome.Passed() {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the table: %w", err)
	}
	defer file.Close()
	text := outcome.Row()
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		text = TableHead + text
	}
	if _, err := file.WriteString(text); err != nil {
		return fmt.Errorf("cannot write the table: %w", err)
	}
	return nil
}
