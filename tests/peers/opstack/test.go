package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"crosscheck.dev/opstack/internal/scenario"
	"crosscheck.dev/opstack/internal/sidecar"
)

func testCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "runs scenarios, prints a line for each, and fails if one failed that is not known to",
		ArgsUsage: "[SCENARIO...]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "ci", Usage: "only the scenarios that are run with every change"},
			&cli.BoolFlag{Name: "list", Usage: "names the scenarios, and ends"},
			&cli.DurationFlag{Name: "aftermath", Usage: "how long plain-node watches what follows a replacement", Value: time.Minute},
			&cli.DurationFlag{Name: "longer", Usage: "how much longer than usual each scenario may take: for more access lists, or a busy machine"},
			&cli.StringFlag{Name: "dir", Usage: "where logs and data go; a new directory unless it is given"},
		},
		Action: test,
	}
}

func test(c *cli.Context) error {
	chosen, err := scenario.Choose(c.Args().Slice(), c.Bool("ci"))
	if err != nil {
		return err
	}
	if c.Bool("list") {
		if c.NArg() == 0 && !c.Bool("ci") {
			chosen = scenario.All
		}
		for _, s := range chosen {
			fmt.Printf("%s: %s\n", s.Name, s.Shows)
		}
		return nil
	}
	binary, err := sidecar.Binary()
	if err != nil {
		return err
	}
	dir, done, err := workDir(c.String("dir"))
	if err != nil {
		return err
	}
	defer done()
	fmt.Println("logs and data:", dir)
	suite := scenario.Suite{
		Dir: dir, Binary: binary, Print: func(line string) { fmt.Println(line) }, Table: filepath.Join(dir, "table.md"),
		Aftermath: c.Duration("aftermath"), Longer: c.Duration("longer"),
	}
	return suite.Run(c.Context, chosen)
}
