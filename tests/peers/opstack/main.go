// The program opstack brings up a real OP Stack on loopback, to run Crosscheck beside it: for people, or for scenarios that
// say what must hold. It ships with nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ethereum/go-ethereum/log"
	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &cli.App{
		Name:     "opstack",
		Usage:    "A real OP Stack on loopback, beside Crosscheck",
		Commands: []*cli.Command{runCommand(), testCommand(), registryCommand(), loadCommand()},
	}
	if err := app.RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "opstack:", err)
		os.Exit(1)
	}
}

// workDir is where everything goes that a run leaves behind, and the log of the programs that have none of their own.
func workDir(dir string) (string, func(), error) {
	made := dir
	var err error
	if dir == "" {
		made, err = os.MkdirTemp("", "opstack-")
	} else {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", nil, fmt.Errorf("cannot make the work directory: %w", err)
	}
	file, err := os.Create(made + "/geth.log")
	if err != nil {
		return "", nil, errors.Join(errors.New("cannot open the log"), err)
	}
	log.SetDefault(log.NewLogger(log.LogfmtHandlerWithLevel(file, log.LevelInfo)))
	return made, func() { _ = file.Close() }, nil
}
