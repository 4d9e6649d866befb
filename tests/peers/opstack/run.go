package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"crosscheck.dev/opstack/internal/actions"
	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/stack"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "brings a stack up, says where everything listens, and runs it until Ctrl-C",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "chains", Value: 2, Usage: "how many chains form one dependency set"},
			&cli.BoolFlag{Name: "lone", Usage: "adds a chain with a dependency set of its own"},
			&cli.DurationFlag{Name: "lagoon", Value: 30 * time.Second, Usage: "how long after genesis Lagoon activates"},
			&cli.BoolFlag{Name: "plain", Usage: "adds an op-node to each chain that derives for itself"},
			&cli.BoolFlag{Name: "plain-sequencers", Usage: "an op-node sequences each chain, and op-supernode only verifies"},
			&cli.BoolFlag{Name: "light", Usage: "adds an op-node to each chain that follows op-supernode"},
			&cli.BoolFlag{Name: "followers", Usage: "adds an op-node to each chain that follows Crosscheck, and one that follows op-supernode"},
			&cli.BoolFlag{Name: "filter", Usage: "adds op-interop-filter"},
			&cli.BoolFlag{Name: "attest", Value: true, Usage: "attests each cross-safe block"},
			&cli.StringFlag{Name: "dir", Usage: "where logs and data go; a new directory unless it is given"},
			&cli.IntFlag{Name: "control", Usage: "the port of the control server; a free one unless it is given"},
		},
		Action: run,
	}
}

func run(c *cli.Context) error {
	dir, done, err := workDir(c.String("dir"))
	if err != nil {
		return err
	}
	defer done()
	bed, err := stack.Start(c.Context, dir, stack.Options{
		Chains: c.Int("chains"), Lone: c.Bool("lone"), LagoonDelay: c.Duration("lagoon"), PlainNodes: c.Bool("plain"),
		PlainSequencers: c.Bool("plain-sequencers"),
		LightNodes:      c.Bool("light"), Followers: c.Bool("followers"), Filter: c.Bool("filter"),
	})
	if err != nil {
		return err
	}
	server, err := control.Serve(c.Int("control"), actions.All(bed))
	if err != nil {
		return errors.Join(err, bed.Close())
	}
	for _, chain := range bed.Chains {
		chain.Peers.Attester.Switch(c.Bool("attest"))
	}
	if err := tell(c, bed, server.URL()); err != nil {
		return errors.Join(err, server.Close(), bed.Close())
	}
	<-c.Context.Done()
	return errors.Join(server.Close(), bed.Close())
}

// tell says where everything listens, and writes a configuration of Crosscheck.
func tell(c *cli.Context, bed *stack.Stack, controlURL string) error {
	config, err := bed.SidecarConfig("by-hand", stack.SequencerNode)
	if err != nil {
		return err
	}
	if err := config.Write(); err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	row := func(what, where string) { fmt.Fprintf(w, "%s\t%s\n", what, where) }
	row("logs and data", bed.Dir)
	row("control (GET / lists what can be done)", controlURL)
	row("L1", bed.L1.RPC())
	row("beacon", bed.L1.Beacon())
	row("op-supernode", bed.Supernode.RPC())
	if bed.Filter != nil {
		row("op-interop-filter", bed.FilterURL())
	}
	for _, chain := range bed.Chains {
		name := func(what string) string { return fmt.Sprintf("chain %d: %s", chain.ID, what) }
		row(name("rollup node of the sequencer"), chain.SequencerRPC)
		if chain.VerifierRPC != chain.SequencerRPC {
			row(name("rollup node of op-supernode"), chain.VerifierRPC)
			row(name("execution client of op-supernode"), chain.Verifier.RPC())
		}
		row(name("execution client of the sequencer"), chain.Execution.RPC())
		row(name("gossip of the sequencer"), chain.Sequencer.Multiaddr())
		row(name("gossip of the attester"), chain.Peers.AttesterAddress)
		row(name("Lagoon activates in block"), fmt.Sprint(chain.ActivationHeight()))
		for _, pair := range []struct {
			role string
			*stack.Pair
		}{{"plain", chain.Plain}, {"light", chain.Light}, {"follower of Crosscheck", chain.Follower}, {"control follower", chain.Control}} {
			if pair.Pair != nil {
				row(name(pair.role+" op-node"), pair.Rollup.RPC())
				row(name(pair.role+" op-geth"), pair.Execution.RPC())
			}
		}
	}
	row("Crosscheck's configuration", config.File())
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "\nRun Crosscheck beside it:\n  crosscheck run --config %s\nCtrl-C ends the stack.\n", config.File())
	return nil
}
