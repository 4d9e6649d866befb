// Package proxy stands in front of a JSON-RPC endpoint, over HTTP and over websockets. It passes requests on, counts them, and
// fails them, or one of them asks for something else, when it is told to. Its own address stays, whatever comes and goes behind it.
// It changes no answer that it passes on, and keeps none.
package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// maxBody is how long a request may be.
const maxBody = 16 << 20

// Proxy listens on loopback.
type Proxy struct {
	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy
	running  sync.WaitGroup

	mu     sync.Mutex
	target *url.URL
	fault  Fault
	counts map[string]uint64
	closed bool
	// era is the context of all that is under way. It ends when connections are cut.
	era    context.Context
	endEra context.CancelFunc
}

// Start starts a proxy in front of a URL, of HTTP or of websockets. Its path is kept.
func Start(target string) (*Proxy, error) {
	p := &Proxy{counts: map[string]uint64{}}
	if err := p.SetTarget(target); err != nil {
		return nil, err
	}
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	p.era, p.endEra = context.WithCancel(context.Background())
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(p.to("http")) },
		// The connection ends as that of a program does that is gone.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { abort() },
		// What stands behind may come back on a connection that is dead: none is kept.
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: 10 * time.Second}
	p.running.Go(func() { _ = p.server.Serve(p.listener) })
	return p, nil
}

// URL is where the proxy listens, with the scheme of the target.
func (p *Proxy) URL() string { return p.to("").Scheme + "://" + p.listener.Addr().String() }

// SetTarget puts the proxy in front of another URL, for requests from now on.
func (p *Proxy) SetTarget(target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("cannot read the URL %q: %w", target, err)
	}
	switch to.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return fmt.Errorf("the URL %q is neither of HTTP nor of websockets", target)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = to
	return nil
}

// to is the target with a scheme, http or ws, made secure where the target is. No scheme: as it is.
func (p *Proxy) to(scheme string) *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := *p.target
	if scheme != "" {
		if strings.HasSuffix(to.Scheme, "s") && to.Scheme != "ws" {
			scheme += "s"
		}
		to.Scheme = scheme
	}
	return &to
}

// Set says what becomes of requests from now on.
func (p *Proxy) Set(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
	if fault.kind == cut && !p.closed {
		p.endEra()
		p.era, p.endEra = context.WithCancel(context.Background())
	}
}

// Counts are the requests so far, by method. Those of a batch are counted one by one, and so are those that failed.
func (p *Proxy) Counts() map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Close ends the proxy, and returns when nothing of it runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.endEra()
	p.mu.Unlock()
	err := p.server.Close()
	p.running.Wait()
	return err
}

// enter begins the handling of a request. The context ends with the client's patience, and when connections are cut.
func (p *Proxy) enter(request *http.Request) (context.Context, func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithCancel(request.Context())
	if p.closed {
		cancel()
		return ctx, cancel
	}
	p.running.Add(1)
	forget := context.AfterFunc(p.era, cancel)
	return ctx, func() {
		forget()
		cancel()
		p.running.Done()
	}
}

func (p *Proxy) handle(w http.ResponseWriter, request *http.Request) {
	ctx, leave := p.enter(request)
	defer leave()
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fault := p.note(body)
	switch {
	case fault.kind == tooMany:
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return
	case fault.kind == cut || !wait(ctx, fault.delay):
		abort()
	}
	if websocket.IsWebSocketUpgrade(request) {
		p.relay(ctx, w, request)
		return
	}
	if fault.stale != nil {
		body = fault.stale.rewrite(body)
		request.ContentLength = int64(len(body))
	}
	request = request.WithContext(ctx)
	request.Body = io.NopCloser(bytes.NewReader(body))
	p.forward.ServeHTTP(w, request)
}

// abort has the server close the connection without an answer.
func abort() { panic(http.ErrAbortHandler) }
