package actions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/stack"
)

// limit bounds everything that the test does, generously.
const limit = 8 * time.Minute

// bed is a stack with one of everything that needs no program of another kind, behind a control server.
type bed struct {
	*stack.Stack
	t   *testing.T
	ctx context.Context
	url string
}

func start(t *testing.T) *bed {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	s, err := stack.Start(ctx, t.TempDir(), stack.Options{
		Chains: 1, Lone: true, LagoonDelay: 30 * time.Second, PlainNodes: true, Followers: true, Filter: true, Monitor: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	server, err := control.Serve(0, All(s))
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return &bed{Stack: s, t: t, ctx: ctx, url: server.URL()}
}

// order has the control server do something. It answers the status and what was said.
func (b *bed) order(action string, parameters any, result any) (int, string) {
	text, err := json.Marshal(parameters)
	require.NoError(b.t, err)
	request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.url+"/"+action, bytes.NewReader(text))
	require.NoError(b.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	var answer json.RawMessage
	require.NoError(b.t, json.NewDecoder(response.Body).Decode(&answer))
	if result != nil {
		require.NoError(b.t, json.Unmarshal(answer, result))
	}
	return response.StatusCode, string(answer)
}

func (b *bed) done(action string, parameters any) {
	status, answer := b.order(action, parameters, nil)
	require.Equal(b.t, http.StatusOK, status, "%s %+v: %s", action, parameters, answer)
}

// expected are the components of the bed, as their logs name them: whatever has a log can be stopped.
func (b *bed) expected() []string {
	files, err := os.ReadDir(b.Dir + "/logs")
	require.NoError(b.t, err)
	known := map[string]string{"l1": "l1 0", "op-supernode": "supernode 0", "op-interop-filter": "filter 0", "op-interop-mon": "monitor 0"}
	var expected []string
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".log")
		if one, is := known[name]; is {
			expected = append(expected, one)
			continue
		}
		expected = append(expected, b.ofChain(name))
	}
	return expected
}

// ofChain is the component of a chain's log.
func (b *bed) ofChain(log string) string {
	for _, chain := range b.Chains {
		name := strings.Replace(log, fmt.Sprintf("-%d", chain.ID), "", 1)
		switch kind, role, _ := strings.Cut(strings.TrimPrefix(name, "op-"), "-"); {
		case name == log:
		case kind == "batcher":
			return fmt.Sprintf("batcher %d", chain.ID)
		case kind == "geth" && role == "sequencer":
			return fmt.Sprintf("execution %d", chain.ID)
		case kind == "geth":
			return fmt.Sprintf("%s-execution %d", role, chain.ID)
		default:
			return fmt.Sprintf("%s %d", role, chain.ID)
		}
	}
	return "unknown: " + log
}

// asks asks an endpoint, and says how long the answer took.
func (b *bed) asks(url, method string) (time.Duration, error) {
	client, err := rpc.DialContext(b.ctx, url)
	require.NoError(b.t, err)
	defer client.Close()
	began := time.Now()
	var answer any
	err = client.CallContext(b.ctx, &answer, method)
	return time.Since(began), err
}

// Whether the chains go on after each of these is for the scenarios: op-supernode does not get over everything at once.
func TestEachComponentIsStoppedRestartedAndSlowed(t *testing.T) {
	bed := start(t)
	var all []component
	bed.order("components", none{}, &all)
	var listed []string
	for _, c := range all {
		listed = append(listed, fmt.Sprintf("%s %d", c.Component, c.Chain))
	}
	// A sequencer of op-supernode has a log of its own, and is stopped with op-supernode.
	member, lone := bed.Members()[0], bed.Chains[len(bed.Chains)-1]
	expected := slices.DeleteFunc(bed.expected(), func(name string) bool { return name == fmt.Sprintf("sequencer %d", member.ID) })
	require.ElementsMatch(t, expected, listed)

	for _, c := range all {
		bed.done("slow", slowed{c.Component, c.Chain, 20})
		bed.done("restart", c)
		bed.done("slow", slowed{c.Component, c.Chain, 0})
	}
	status, answer := bed.order("stop", component{"nothing", 0}, nil)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, answer, "batcher of 901", "it names those that there are")
	bed.answersLaterAndNotAtAll("l1", 0, bed.L1.RPC(), "eth_blockNumber")
	bed.answersLaterAndNotAtAll("supernode", 0, member.SequencerRPC, "optimism_syncStatus")
	bed.answersLaterAndNotAtAll("filter", 0, bed.FilterURL(), "rpc_modules")
	bed.answersLaterAndNotAtAll("plain-execution", member.ID, member.Plain.Execution.RPC(), "eth_blockNumber")
	bed.answersLaterAndNotAtAll("execution", member.ID, member.Execution.RPC(), "eth_blockNumber")
	bed.answersLaterAndNotAtAll("sequencer", lone.ID, lone.SequencerRPC, "optimism_syncStatus")
	bed.answersLaterAndNotAtAll("follower", member.ID, member.Follower.Rollup.RPC(), "optimism_version")
}

// answersLaterAndNotAtAll holds that who is slow answers later, and who is stopped does not answer.
func (b *bed) answersLaterAndNotAtAll(name string, chain uint64, url, method string) {
	const delay = 150
	b.done("slow", slowed{name, chain, delay})
	took, err := b.asks(url, method)
	require.NoError(b.t, err)
	require.GreaterOrEqual(b.t, took, 2*delay*time.Millisecond, "%s: there and back", name)
	b.done("slow", slowed{name, chain, 0})
	b.done("stop", component{name, chain})
	_, err = b.asks(url, method)
	require.Error(b.t, err, name)
	b.done("start", component{name, chain})
	_, err = b.asks(url, method)
	require.NoError(b.t, err, name)
}
