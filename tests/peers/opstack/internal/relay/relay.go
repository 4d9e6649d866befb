// Package relay is an address that stays while what stands behind it comes and goes. It passes bytes on, at once or later, and refuses
// connections while nothing stands behind it. It reads nothing of what passes, and changes nothing.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pieceSize is how much is read at once, and waiting how many pieces of one direction may wait for their time.
	pieceSize = 32 << 10
	waiting   = 64
	// dialLimit bounds the opening of a connection.
	dialLimit = 3 * time.Second
)

// Relay listens on loopback.
type Relay struct {
	listener net.Listener
	running  sync.WaitGroup
	ctx      context.Context
	end      context.CancelFunc
	delay    atomic.Int64

	mu sync.Mutex
	// behind is the host and port that connections go to. Empty: they are refused.
	behind string
	// open are the connections that go there, and those that came.
	open map[net.Conn]struct{}
}

// New starts a relay with nothing behind it.
func New() (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	r := &Relay{listener: listener, open: map[net.Conn]struct{}{}}
	r.ctx, r.end = context.WithCancel(context.Background())
	r.running.Go(r.accept)
	return r, nil
}

// URL is where clients of HTTP connect.
func (r *Relay) URL() string { return "http://" + r.listener.Addr().String() }

// Of is a URL with this relay's address in place of its host.
func (r *Relay) Of(target string) (string, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("cannot read the URL %q: %w", target, err)
	}
	parsed.Host = r.listener.Addr().String()
	return parsed.String(), nil
}

// Open sends connections to the endpoint, a URL or host and port.
func (r *Relay) Open(endpoint string) error {
	if parsed, err := url.Parse(endpoint); err == nil && parsed.Host != "" {
		endpoint = parsed.Host
	}
	if endpoint == "" {
		return errors.New("nothing listens behind the relay")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = endpoint
	return nil
}

// Shut refuses connections until it is opened again, and ends those that there are.
func (r *Relay) Shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = ""
	for conn := range r.open {
		_ = conn.Close()
	}
}

// Slow has everything pass later by this, in both directions, from now on. Zero: at once.
func (r *Relay) Slow(delay time.Duration) { r.delay.Store(int64(delay)) }

// Close ends the relay for good, and returns when nothing of it runs any more.
func (r *Relay) Close() error {
	r.end()
	err := r.listener.Close()
	r.Shut()
	r.running.Wait()
	return err
}

func (r *Relay) accept() {
	for {
		came, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(came) })
	}
}

// serve relays one connection until either side ends it.
func (r *Relay) serve(came net.Conn) {
	defer came.Close()
	r.mu.Lock()
	behind := r.behind
	r.mu.Unlock()
	if behind == "" {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, dialLimit)
	defer cancel()
	var dialer net.Dialer
	there, err := dialer.DialContext(ctx, "tcp", behind)
	if err != nil {
		return
	}
	defer there.Close()
	if !r.keep(behind, came, there) {
		return
	}
	defer r.forget(came, there)
	var pumps sync.WaitGroup
	for _, pair := range [][2]net.Conn{{came, there}, {there, came}} {
		pumps.Go(func() {
			r.pump(pair[0], pair[1])
			_ = came.Close()
			_ = there.Close()
		})
	}
	pumps.Wait()
}

// keep notes connections, so that they end when the relay is shut. False: it was shut meanwhile.
func (r *Relay) keep(behind string, conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.behind != behind || r.ctx.Err() != nil {
		return false
	}
	for _, conn := range conns {
		r.open[conn] = struct{}{}
	}
	return true
}

func (r *Relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		delete(r.open, conn)
	}
}

// piece is what was read, and when it may be written.
type piece struct {
	data []byte
	due  time.Time
}

// pump passes on what is read, each piece when its time has come, until one side ends.
func (r *Relay) pump(from io.Reader, to io.WriteCloser) {
	pieces := make(chan piece, waiting)
	var writing sync.WaitGroup
	writing.Go(func() {
		for piece := range pieces {
			if !sleepUntil(r.ctx, piece.due) {
				continue
			}
			if _, err := to.Write(piece.data); err != nil {
				// The reader ends with it: both connections are closed.
				_ = to.Close()
			}
		}
	})
	for {
		data := make([]byte, pieceSize)
		n, err := from.Read(data)
		if n > 0 {
			pieces <- piece{data: data[:n], due: time.Now().Add(time.Duration(r.delay.Load()))}
		}
		if err != nil {
			break
		}
	}
	close(pieces)
	writing.Wait()
}

// sleepUntil says whether the time came before the context ended.
func sleepUntil(ctx context.Context, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
