package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/node"
	"crosscheck.dev/opstack/internal/sidecar"
)

// KonaPair is a kona-node with its execution client.
type KonaPair struct {
	Execution *node.Execution
	Rollup    *node.Kona
	// Known is the peer that Crosscheck dials. Stranger is one that nobody dials. The sequencer knows neither.
	Known, Stranger *node.Identity
}

// Restart starts the node anew as another peer, or as the same again, and waits until it answers.
func (p *KonaPair) Restart(ctx context.Context, as *node.Identity) error {
	if err := p.Rollup.Stop(); err != nil {
		return err
	}
	if err := p.Rollup.Start(as); err != nil {
		return err
	}
	return answers(ctx, p.Rollup.RPC())
}

// ChainID is the chain's id as the node's rollup configuration writes it.
func (p *KonaPair) ChainID(ctx context.Context) (string, error) {
	client, err := rpc.DialContext(ctx, p.Rollup.RPC())
	if err != nil {
		return "", fmt.Errorf("kona-node is not reached: %w", err)
	}
	defer client.Close()
	var config struct {
		L2ChainID json.RawMessage `json:"l2_chain_id"`
	}
	if err := client.CallContext(ctx, &config, "optimism_rollupConfig"); err != nil {
		return "", fmt.Errorf("kona-node does not tell its rollup configuration: %w", err)
	}
	return string(config.L2ChainID), nil
}

func (s *Stack) startKona(ctx context.Context) error {
	if !s.Kona {
		return nil
	}
	program, err := node.KonaProgram()
	if err != nil {
		return err
	}
	for _, chain := range s.Chains {
		if !chain.Lone {
			continue
		}
		if chain.Kona, err = s.newKona(chain, program); err != nil {
			return err
		}
		if err := chain.Kona.Restart(ctx, chain.Kona.Known); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) newKona(chain *Chain, program string) (*KonaPair, error) {
	var pair KonaPair
	var err error
	if pair.Execution, err = s.startExecution(chain.Chain, "kona", chain.Execution.Enode()); err != nil {
		return nil, err
	}
	if pair.Known, err = s.identity(chain.ID, "kona"); err != nil {
		return nil, err
	}
	if pair.Stranger, err = s.identity(chain.ID, "kona-as-a-stranger"); err != nil {
		return nil, err
	}
	port, err := s.port()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("kona-node-%d", chain.ID)
	logger, err := s.logs.open(name + "-relay")
	if err != nil {
		return nil, err
	}
	pair.Rollup, err = node.NewKona(chain.Chain, node.KonaOptions{
		Name: name, Program: program, Dir: s.Dir, Output: filepath.Join(s.logs.dir, name+".log"), L1: s.nodeL1(), JWT: s.jwt,
		Execution: pair.Execution, Port: port, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	s.onClose(pair.Rollup.Close)
	return &pair, nil
}

// KonaConfig is the configuration of a Crosscheck that watches the lone chain, with kona-node as its rollup node, and nothing else. It
// serves the follower.
func (s *Stack) KonaConfig(name string) (sidecar.Config, error) {
	config, err := s.LoneConfig(name)
	if err != nil {
		return config, err
	}
	config.Follow, config.Ports.Follow = sidecar.FollowClamp, s.FollowPort()
	for i := range config.Chains {
		watched := &config.Chains[i]
		kona := s.Chain(watched.ID).Kona
		watched.Execution, watched.RollupNode = []string{kona.Execution.RPC()}, kona.Rollup.RPC()
		watched.StaticPeers = append(watched.StaticPeers, kona.Known.Multiaddr())
	}
	return config, nil
}
