package sidecar

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

// ProcessorTime is what the program that was started last has used of the processor, in all.
func (p *Process) ProcessorTime() (time.Duration, error) {
	process, err := procfs.NewProc(p.PID())
	if err != nil {
		return 0, fmt.Errorf("cannot find crosscheck among the processes: %w", err)
	}
	stat, err := process.Stat()
	if err != nil {
		return 0, fmt.Errorf("cannot read what crosscheck has used of the processor: %w", err)
	}
	return time.Duration(stat.CPUTime() * float64(time.Second)), nil
}
