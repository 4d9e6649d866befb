// Package proxy stands in front of a JSON-RPC endpoint, passes requests on, counts them, and fails them when it is told to. It
// changes no answer that it passes on.
package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// maxBody is how long a request may be.
const maxBody = 16 << 20

// maxMethods bounds how many methods are counted apart.
const maxMethods = 200

// Fault is what becomes of requests.
type Fault struct {
	kind  kind
	delay time.Duration
}

type kind int

const (
	pass kind = iota
	cut
	tooMany
)

// Pass lets requests pass.
func Pass() Fault { return Fault{} }

// Cut ends each connection without an answer.
func Cut() Fault { return Fault{kind: cut} }

// TooMany answers 429.
func TooMany() Fault { return Fault{kind: tooMany} }

// Slow lets requests pass after a delay.
func Slow(delay time.Duration) Fault { return Fault{delay: delay} }

// Proxy listens on loopback.
type Proxy struct {
	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy

	mu     sync.Mutex
	fault  Fault
	counts map[string]uint64
}

// Start starts a proxy in front of a URL. Its path is kept.
func Start(target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("cannot read the URL %q: %w", target, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	p := &Proxy{listener: listener, counts: map[string]uint64{}}
	p.forward = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: unreachable,
		// What stands behind may come back on a connection that is dead: none is kept.
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// URL is where the proxy listens.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Set says what becomes of requests from now on.
func (p *Proxy) Set(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Counts are the requests so far, by method. Those of a batch are counted one by one.
func (p *Proxy) Counts() map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Close ends the proxy, and what it is doing.
func (p *Proxy) Close() error { return p.server.Close() }

func (p *Proxy) handle(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fault := p.note(body)
	switch {
	case fault.kind == cut:
		panic(http.ErrAbortHandler)
	case fault.kind == tooMany:
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return
	case !wait(request.Context(), fault.delay):
		return
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	p.forward.ServeHTTP(w, request)
}

// note counts a request, and says what becomes of it.
func (p *Proxy) note(body []byte) Fault {
	type call struct {
		Method string `json:"method"`
	}
	var calls []call
	if json.Unmarshal(body, &calls) != nil {
		var one call
		if json.Unmarshal(body, &one) == nil {
			calls = []call{one}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, call := range calls {
		if _, known := p.counts[call.Method]; known || len(p.counts) < maxMethods {
			p.counts[call.Method]++
		}
	}
	return p.fault
}

func wait(ctx context.Context, delay time.Duration) bool {
	if delay == 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(delay):
		return true
	}
}

// unreachable ends the connection as a program does that is gone.
func unreachable(_ http.ResponseWriter, _ *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		panic(http.ErrAbortHandler)
	}
}
