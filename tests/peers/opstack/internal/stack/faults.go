package stack

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"crosscheck.dev/opstack/internal/proxy"
)

// Faults stand between Crosscheck and what it reads. Each can be cut, slowed down or made to refuse, while the stack itself
// goes on.
type Faults struct {
	L1 *proxy.Proxy
	// Follow stands between the followers and Crosscheck. It listens while no Crosscheck runs: op-node does not start
	// without somebody to follow.
	Follow *proxy.Proxy
	Chains map[uint64]ChainFaults
}

// ChainFaults are those of one chain.
type ChainFaults struct {
	Execution, Rollup *proxy.Proxy
	// rollupPath is where the rollup node's server serves the chain: op-supernode has all chains under one address.
	rollupPath string
}

// RollupURL is the rollup node's address, in the form in which it names itself.
func (f *ChainFaults) RollupURL() string { return f.Rollup.URL() + f.rollupPath }

func (s *Stack) startFaults(context.Context) error {
	s.Faults = &Faults{Chains: map[uint64]ChainFaults{}}
	var err error
	if s.Faults.L1, err = s.startProxy(s.L1.RPC()); err != nil {
		return err
	}
	if s.Faults.Follow, err = s.startProxy(fmt.Sprintf("http://127.0.0.1:%d", s.follow)); err != nil {
		return err
	}
	for _, chain := range s.Chains {
		var faults ChainFaults
		if faults.Execution, err = s.startProxy(cmp.Or(chain.Verifier, chain.Execution).RPC()); err != nil {
			return err
		}
		server, isOneOfSeveral := strings.CutSuffix(chain.VerifierRPC, fmt.Sprintf("/%d/", chain.ID))
		if isOneOfSeveral {
			faults.rollupPath = fmt.Sprintf("/%d/", chain.ID)
		}
		if faults.Rollup, err = s.startProxy(server); err != nil {
			return err
		}
		s.Faults.Chains[chain.ID] = faults
	}
	return nil
}

func (s *Stack) startProxy(target string) (*proxy.Proxy, error) {
	p, err := proxy.Start(target)
	if err != nil {
		return nil, err
	}
	s.onClose(p.Close)
	return p, nil
}

// Pass ends all faults.
func (f *Faults) Pass() {
	f.L1.Set(proxy.Pass())
	f.Follow.Set(proxy.Pass())
	for _, chain := range f.Chains {
		chain.Execution.Set(proxy.Pass())
		chain.Rollup.Set(proxy.Pass())
	}
}
