package sidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// requestTimeout is how long one request may take, within its context.
const requestTimeout = 10 * time.Second

// maxAnswer is how long an answer over plain HTTP may be.
const maxAnswer = 16 << 20

// Client asks a running crosscheck. It keeps no state of the program: it outlives restarts on the same ports.
type Client struct {
	config Config
	http   *http.Client
}

// NewClient makes a client for a crosscheck that runs with this configuration, whoever started it.
func NewClient(config *Config) *Client {
	// No connection is kept: one that a killed program left behind would fail the next request.
	transport := &http.Transport{DisableKeepAlives: true}
	return &Client{config: *config, http: &http.Client{Transport: transport, Timeout: requestTimeout}}
}

// Call calls any method of crosscheck's JSON-RPC.
func (c *Client) Call(ctx context.Context, result any, method string, params ...any) error {
	return c.call(ctx, c.config.RPC(), result, method, params...)
}

func (c *Client) call(ctx context.Context, url string, result any, method string, params ...any) error {
	client, err := rpc.DialOptions(ctx, url, rpc.WithHTTPClient(c.http))
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", url, err)
	}
	defer client.Close()
	if err := client.CallContext(ctx, result, method, params...); err != nil {
		return fmt.Errorf("%s at %s failed: %w", method, url, err)
	}
	return nil
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready bool `json:"ready"`
	// Reasons say what stands in the way, each as "part: problem".
	Reasons []string `json:"reasons"`
}

// Ready asks whether crosscheck is ready, and why not.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var readiness Readiness
	body, err := c.get(ctx, "/readyz", http.StatusOK, http.StatusServiceUnavailable)
	if err != nil {
		return readiness, err
	}
	if err := json.Unmarshal(body, &readiness); err != nil {
		return readiness, fmt.Errorf("cannot read the answer of /readyz: %w", err)
	}
	return readiness, nil
}

// get reads a page of the server of health and metrics.
func (c *Client) get(ctx context.Context, path string, wanted ...int) ([]byte, error) {
	url := c.config.HTTP() + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for %s: %w", url, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for %s: %w", url, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("cannot read the answer of %s: %w", url, err)
	}
	for _, status := range wanted {
		if response.StatusCode == status {
			return body, nil
		}
	}
	return nil, fmt.Errorf("%s answers %s: %.200s", url, response.Status, body)
}

// SyncStatus is what a follower reads.
type SyncStatus struct {
	eth.SyncStatus
	// Hold is the block that holds the served head. Nil: none does, or the status is not crosscheck's.
	Hold *Hold `json:"crosscheck_hold"`
}

// SyncStatus is the status that crosscheck serves to the followers of a chain.
func (c *Client) SyncStatus(ctx context.Context, chain uint64) (*SyncStatus, error) {
	return c.SyncStatusAt(ctx, c.config.FollowURL(chain))
}

// SyncStatusAt is the status that any node answers: a rollup node, or op-supernode at a chain's path.
func (c *Client) SyncStatusAt(ctx context.Context, url string) (*SyncStatus, error) {
	var status SyncStatus
	if err := c.call(ctx, url, &status, "optimism_syncStatus"); err != nil {
		return nil, err
	}
	return &status, nil
}
