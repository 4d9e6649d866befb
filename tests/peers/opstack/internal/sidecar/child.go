package sidecar

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// maxLine is how long a line of the log may be; what is longer is cut there, in the events and not in the file.
const maxLine = 1 << 20

// child is one start of the program.
type child struct {
	pid     int
	process *os.Process
	// done is closed when the program has ended and all that it wrote was read.
	done chan struct{}
	// err is written before done is closed.
	err error
	// wanted is set before the program is told to end: then its exit is no error. It is guarded by the process's mutex.
	wanted bool
}

// launch starts the program. Each line that it writes goes to the file, and to tell. The file is closed here.
func launch(binary string, args []string, file *os.File, tell func(line string)) (*child, error) {
	output, input, err := os.Pipe()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("cannot make a pipe for crosscheck's log: %w", err)
	}
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr = input, input
	command.Env = environment()
	command.SysProcAttr = childAttributes()
	c := &child{done: make(chan struct{})}
	started := make(chan error)
	go c.live(command, started, func() {
		defer file.Close()
		defer output.Close()
		readLines(io.TeeReader(output, file), tell)
	})
	err = <-started
	_ = input.Close()
	if err != nil {
		_ = output.Close()
		_ = file.Close()
		return nil, fmt.Errorf("cannot start %s: %w", binary, err)
	}
	return c, nil
}

// live starts the program and waits for its end, in one thread: the system tells the program of the end of the thread that
// started it, as of ours.
func (c *child) live(command *exec.Cmd, started chan<- error, read func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		started <- err
		return
	}
	c.process, c.pid = command.Process, command.Process.Pid
	allRead := make(chan struct{})
	go func() {
		defer close(allRead)
		read()
	}()
	started <- nil
	c.err = command.Wait()
	<-allRead
	close(c.done)
}

func (c *child) signal(signal syscall.Signal) error { return c.process.Signal(signal) }

func (c *child) hasEnded() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// outcome says how it ended. Only once it has.
func (c *child) outcome() string {
	if c.err == nil {
		return "exit code 0"
	}
	return c.err.Error()
}

// readLines tells each line, up to the end of what is read, whatever it holds.
func readLines(reader io.Reader, tell func(line string)) {
	buffered := bufio.NewReaderSize(reader, 64<<10)
	var line []byte
	for {
		part, err := buffered.ReadSlice('\n')
		if room := maxLine - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			tell(text)
		}
		line = line[:0]
		if err != nil {
			return
		}
	}
}
