package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/log"
)

// logs are the components' log files, one each.
type logs struct {
	dir   string
	files []*os.File
}

func newLogs(dir string) (*logs, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the directory of logs: %w", err)
	}
	return &logs{dir: dir}, nil
}

// open starts a log file.
func (l *logs) open(name string) (log.Logger, error) {
	file, err := os.OpenFile(filepath.Join(l.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open a log: %w", err)
	}
	l.files = append(l.files, file)
	return log.NewLogger(log.LogfmtHandlerWithLevel(file, log.LevelInfo)), nil
}

// Log starts a log file among those of the stack.
func (s *Stack) Log(name string) (log.Logger, error) { return s.logs.open(name) }

func (l *logs) close() {
	for _, file := range l.files {
		_ = file.Close()
	}
}
