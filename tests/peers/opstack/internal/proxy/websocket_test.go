package proxy

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// echo answers each message with itself.
func echo(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		connection, err := upgrader.Upgrade(w, request, nil)
		if err != nil {
			return
		}
		defer connection.Close()
		pump(connection, connection, func([]byte) bool { return true })
	}))
	t.Cleanup(server.Close)
	return server
}

func dial(t *testing.T, p *Proxy) *websocket.Conn {
	connection, _, err := websocket.DefaultDialer.Dial(p.websocketURL(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(5*time.Second)))
	return connection
}

// websocketURL is where clients of websockets connect to.
func (p *Proxy) websocketURL() string { return "ws://" + p.listener.Addr().String() }

func say(connection *websocket.Conn, text string) (string, error) {
	if err := connection.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		return "", err
	}
	_, answer, err := connection.ReadMessage()
	return string(answer), err
}

func TestWebsocket(t *testing.T) {
	proxy, err := Start(echo(t).URL)
	require.NoError(t, err)
	const text = `{"method":"eth_subscribe"}`

	open := dial(t, proxy)
	answer, err := say(open, text)
	require.NoError(t, err)
	require.Equal(t, text, answer)
	require.Equal(t, map[string]uint64{"eth_subscribe": 1}, proxy.Counts())

	proxy.Set(Slow(50 * time.Millisecond))
	began := time.Now()
	_, err = say(open, text)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)

	proxy.Set(TooMany())
	_, err = say(open, text)
	require.True(t, websocket.IsCloseError(err, websocket.CloseTryAgainLater), "%v", err)

	proxy.Set(Pass())
	open = dial(t, proxy)
	proxy.Set(Cut())
	_, _, err = open.ReadMessage()
	require.Error(t, err, "an open connection is cut")
	_, _, err = websocket.DefaultDialer.Dial(proxy.websocketURL(), nil)
	require.Error(t, err)

	proxy.Set(Pass())
	open = dial(t, proxy)
	require.NoError(t, proxy.Close())
	_, _, err = open.ReadMessage()
	require.Error(t, err, "nothing is open after the end")
}
