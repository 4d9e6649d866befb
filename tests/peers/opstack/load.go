package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"crosscheck.dev/opstack/internal/load"
	"crosscheck.dev/opstack/internal/sidecar"
)

func loadCommand() *cli.Command {
	return &cli.Command{
		Name:  "load",
		Usage: "measures op-interop-filter and Crosscheck in turns, on the chains of crosscheck's own devnet",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "blocks", Value: 1000, Usage: "how many blocks each of the two chains has"},
			&cli.DurationFlag{Name: "each", Value: 3 * time.Second, Usage: "how long each measurement takes"},
			&cli.IntFlag{Name: "rounds", Value: 2, Usage: "how often each is repeated"},
			&cli.StringFlag{Name: "dir", Usage: "where logs and data go; a new directory unless it is given"},
		},
		Action: measure,
	}
}

func measure(c *cli.Context) error {
	binary, err := sidecar.Binary()
	if err != nil {
		return err
	}
	dir, done, err := workDir(c.String("dir"))
	if err != nil {
		return err
	}
	defer done()
	if dir, err = os.MkdirTemp(dir, "load-"); err != nil {
		return err
	}
	fmt.Println("logs and data:", dir)
	bench := &load.Bench{
		Dir: dir, Binary: binary, Blocks: c.Int("blocks"), Each: c.Duration("each"), Rounds: c.Int("rounds"),
		Print: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	return bench.Run(ctx)
}
