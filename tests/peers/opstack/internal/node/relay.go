// Package node runs the OP Stack's own programs in this process: execution clients, rollup nodes, the supernode, batchers and the
// interop filter; and kona-node, which is a process of its own. Each can be stopped and started again, and keeps its addresses. It
// knows no scenario, and judges nothing.
package node

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum-optimism/optimism/op-service/testutils/tcpproxy"
)

// relay is an address that stays while what stands behind it comes and goes.
type relay struct {
	proxy *tcpproxy.Proxy
}

func newRelay(logger log.Logger) (*relay, error) {
	proxy := tcpproxy.New(logger)
	if err := proxy.Start(); err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return &relay{proxy: proxy}, nil
}

// url is where clients connect.
func (r *relay) url() string {
	return "http://" + r.proxy.Addr()
}

// open sends connections to the endpoint, a URL or host and port.
func (r *relay) open(endpoint string) error {
	if parsed, err := url.Parse(endpoint); err == nil && parsed.Host != "" {
		endpoint = parsed.Host
	}
	if endpoint == "" {
		return errors.New("nothing listens behind the relay")
	}
	r.proxy.SetUpstream(endpoint)
	return nil
}

// shut refuses connections until it is opened again.
func (r *relay) shut() {
	r.proxy.ClearUpstream()
}

func (r *relay) close() error {
	return r.proxy.Close()
}
