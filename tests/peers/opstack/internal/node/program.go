package node

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// program is a process of another program, which ends with this one.
type program struct {
	process *os.Process
	// done is closed when it has ended.
	done chan struct{}
}

// startProgram starts a program. What it writes is appended to a file.
func startProgram(path string, args []string, output string) (*program, error) {
	file, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of %s: %w", path, err)
	}
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = childAttributes()
	p := &program{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer file.Close()
		// The system tells the program of the end of the thread that started it, as of ours.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		p.process = command.Process
		started <- err
		if err == nil {
			_ = command.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", path, err)
	}
	return p, nil
}

// stop asks the program to end, and kills it if it does not.
func (p *program) stop() {
	_ = p.process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.process.Kill()
		<-p.done
	}
}
