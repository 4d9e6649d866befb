package sidecar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// Binary finds the crosscheck program: the one that $CROSSCHECK names, or one that was built beside this program.
func Binary() (string, error) {
	if named := os.Getenv("CROSSCHECK"); named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("CROSSCHECK names no program: %w", err)
		}
		return filepath.Abs(named)
	}
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find the crosscheck program: %w", err)
	}
	target := filepath.Dir(filepath.Dir(own))
	for _, profile := range []string{"release", "debug"} {
		program := filepath.Join(target, profile, "crosscheck")
		if _, err := os.Stat(program); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("no crosscheck program in %s/release or %s/debug: build it, or set CROSSCHECK", target, target)
}

// Command runs a command of crosscheck to its end, and returns what it printed. Where it ends with another code than 0,
// the error is a *CommandError.
func Command(ctx context.Context, binary string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, binary, args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	command.Env = environment()
	err := command.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ctx.Err() == nil {
		err = &CommandError{Args: args, Code: ended.ExitCode(), Says: strings.TrimSpace(stderr.String())}
	} else if err != nil {
		err = fmt.Errorf("cannot run crosscheck %s: %w", strings.Join(args, " "), err)
	}
	return stdout.String(), err
}

// CommandError is a command of crosscheck that ended with another code than 0: 1 when what was asked for does not hold,
// 64 when the command line or the configuration is at fault.
type CommandError struct {
	Args []string
	Code int
	Says string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("crosscheck %s ended with %d: %s", strings.Join(e.Args, " "), e.Code, e.Says)
}

// Check writes the configuration, and has crosscheck say whether it is sound.
func Check(ctx context.Context, binary string, config *Config) error {
	if err := config.Write(); err != nil {
		return err
	}
	_, err := Command(ctx, binary, "check", "--config", config.File())
	return err
}

// BlockKey names a block.
type BlockKey struct {
	ChainID uint64      `json:"chain_id"`
	Number  uint64      `json:"number"`
	Hash    common.Hash `json:"hash"`
}

func (b BlockKey) String() string { return fmt.Sprintf("%d/%d (%s)", b.ChainID, b.Number, b.Hash) }

// environment is ours without crosscheck's settings: they would win over the file.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CROSSCHECK_") {
			kept = append(kept, variable)
		}
	}
	return kept
}
