package verdicts

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ethereum/go-ethereum/log"
)

// notes keeps the last line that op-node logged: the reason of its verdict.
type notes struct{ last string }

func (n *notes) logger() log.Logger { return log.NewLogger(n) }

// Enabled lets everything from Info on through.
func (n *notes) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle keeps a line, its errors included.
func (n *notes) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(record.Message)
	record.Attrs(func(attr slog.Attr) bool {
		if err, ok := attr.Value.Any().(error); ok && err != nil {
			fmt.Fprintf(&line, "; %s: %v", attr.Key, err)
		}
		return true
	})
	n.last = line.String()
	return nil
}

// WithAttrs adds nothing.
func (n *notes) WithAttrs([]slog.Attr) slog.Handler { return n }

// WithGroup adds nothing.
func (n *notes) WithGroup(string) slog.Handler { return n }
