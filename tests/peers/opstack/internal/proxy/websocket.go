package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// maxAnswer is how long a message to a client may be.
const maxAnswer = 64 << 20

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

// relay passes the messages of a websocket, until one side ends it or connections are cut.
func (p *Proxy) relay(ctx context.Context, w http.ResponseWriter, request *http.Request) {
	to := p.to("ws").JoinPath(request.URL.Path)
	behind, response, err := websocket.DefaultDialer.DialContext(ctx, to.String(), nil)
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		abort()
	}
	front, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		_ = behind.Close()
		return // The client has been told.
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	context.AfterFunc(ctx, func() {
		_ = front.Close()
		_ = behind.Close()
	})
	front.SetReadLimit(maxBody)
	behind.SetReadLimit(maxAnswer)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer end()
		pump(behind, front, func([]byte) bool { return true })
	}()
	pump(front, behind, func(text []byte) bool { return p.admit(ctx, front, text) })
	end()
	<-done
}

// pump copies messages that are admitted.
func pump(from, to *websocket.Conn, admit func([]byte) bool) {
	for {
		kind, text, err := from.ReadMessage()
		if err != nil || !admit(text) || to.WriteMessage(kind, text) != nil {
			return
		}
	}
}

// admit counts a message of a client, and says whether it goes on.
func (p *Proxy) admit(ctx context.Context, front *websocket.Conn, text []byte) bool {
	fault := p.note(text)
	switch fault.kind {
	case cut:
		return false
	case tooMany:
		reason := websocket.FormatCloseMessage(websocket.CloseTryAgainLater, "too many requests")
		// Who is gone already needs no reason.
		_ = front.WriteControl(websocket.CloseMessage, reason, time.Now().Add(time.Second))
		return false
	default:
		return wait(ctx, fault.delay)
	}
}
