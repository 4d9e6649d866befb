package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Crowd holds connections that ask nothing.
type Crowd struct {
	sockets []*websocket.Conn
	half    []net.Conn
}

// half is a request that is never sent to its end.
const half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"

// Gather opens idle websockets, and sends as many half requests.
func Gather(ctx context.Context, at string, count int) (*Crowd, error) {
	address, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("%s is no URL: %w", at, err)
	}
	crowd := &Crowd{}
	for range count {
		socket, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+address.Host, nil)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("no websocket to %s: %w", at, err), crowd.Leave())
		}
		crowd.sockets = append(crowd.sockets, socket)
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address.Host)
		if err == nil {
			crowd.half = append(crowd.half, connection)
			_, err = connection.Write([]byte(half))
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("no half request to %s: %w", at, err), crowd.Leave())
		}
	}
	return crowd, nil
}

// Given waits for the first lines that half requests are answered with, and counts them. A connection that is closed counts as "".
func (c *Crowd) Given(within time.Duration) map[string]int {
	lines, end := map[string]int{}, time.Now().Add(within)
	for _, connection := range c.half {
		_ = connection.SetReadDeadline(end)
		line, err := bufio.NewReader(connection).ReadString('\n')
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			line = "nothing"
		}
		lines[strings.TrimSpace(line)]++
	}
	return lines
}

// Leave closes everything.
func (c *Crowd) Leave() error {
	var result error
	for _, socket := range c.sockets {
		result = errors.Join(result, socket.Close())
	}
	for _, connection := range c.half {
		result = errors.Join(result, connection.Close())
	}
	return result
}
