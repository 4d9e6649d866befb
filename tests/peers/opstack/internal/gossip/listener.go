package gossip

import (
	"context"
	"fmt"
)

// Listener records the frames of topics. The oldest are forgotten after 20,000.
type Listener struct {
	frames *journal[Frame]
}

// Listen records what a host hears on topics from now on.
func Listen(host *Host, topics ...Topic) (*Listener, error) {
	listener := &Listener{frames: newJournal[Frame]()}
	for _, topic := range topics {
		if err := host.Subscribe(topic, listener.frames.add); err != nil {
			return nil, err
		}
	}
	return listener, nil
}

// Frames are the recorded frames, in the order of arrival.
func (l *Listener) Frames() []Frame { return l.frames.all() }

// Await waits for the first frame that is wanted, past ones included.
func (l *Listener) Await(ctx context.Context, wanted func(Frame) bool) (Frame, error) {
	frame, err := l.frames.await(ctx, wanted)
	if err != nil {
		return frame, fmt.Errorf("the frame was not heard: %w", err)
	}
	return frame, nil
}
