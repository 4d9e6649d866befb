package gossip

import (
	"context"
	"fmt"
	"slices"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// listenerPoll is the time between two looks at who listens.
const listenerPoll = 10 * time.Millisecond

// Frame is a gossip message as it was heard, byte for byte.
type Frame struct {
	ChainID uint64
	Topic   Topic
	// From is the peer that sent it to us. Who made it is not known.
	From peer.ID
	Data []byte
	At   time.Time
}

// joined is a topic that the host has joined, and who is told what is heard on it.
type joined struct {
	topic    *pubsub.Topic
	leave    pubsub.RelayCancelFunc
	handlers []func(Frame)
}

// Subscribe hears a topic. The handler is called for each frame in the order of arrival, never for what this host
// publishes itself. It must not block: no other frame is looked at meanwhile.
func (h *Host) Subscribe(topic Topic, handler func(Frame)) error {
	entry, err := h.join(topic)
	if err != nil {
		return err
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	entry.handlers = append(entry.handlers, handler)
	if entry.leave != nil {
		return nil
	}
	// A relay announces the topic to peers just as a subscription does, without a queue that somebody has to empty.
	if entry.leave, err = entry.topic.Relay(); err != nil {
		return fmt.Errorf("cannot subscribe to %s of chain %d: %w", topic, h.chainID, err)
	}
	return nil
}

// Publish sends a frame to every peer that listens on the topic at this moment. Nobody gets it later. The network knows
// a frame by its bytes: the same one on the same topic is not sent again for 65 seconds.
func (h *Host) Publish(ctx context.Context, topic Topic, frame []byte) error {
	entry, err := h.join(topic)
	if err != nil {
		return err
	}
	if err := entry.topic.Publish(ctx, frame); err != nil {
		return fmt.Errorf("cannot publish a frame on %s of chain %d: %w", topic, h.chainID, err)
	}
	return nil
}

// Listeners are the peers that are subscribed to a topic and can be sent to.
func (h *Host) Listeners(topic Topic) ([]peer.ID, error) {
	entry, err := h.join(topic)
	if err != nil {
		return nil, err
	}
	return entry.topic.ListPeers(), nil
}

// AwaitListener waits until a peer is subscribed to a topic and can be sent to, so that what is published from then on
// reaches it. gossip tells of the subscription alone, which may come before there is a way to send; so the list is read.
func (h *Host) AwaitListener(ctx context.Context, topic Topic, id peer.ID) error {
	ticker := time.NewTicker(listenerPoll)
	defer ticker.Stop()
	for {
		peers, err := h.Listeners(topic)
		if err != nil || slices.Contains(peers, id) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("peer %s did not subscribe to %s of chain %d: %w", id, topic, h.chainID, ctx.Err())
		case <-ticker.C:
		}
	}
}

func (h *Host) join(topic Topic) (*joined, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if entry := h.topics[topic]; entry != nil {
		return entry, nil
	}
	path, err := topic.Path(h.chainID)
	if err != nil {
		return nil, err
	}
	entry := &joined{}
	hear := func(_ context.Context, from peer.ID, message *pubsub.Message) pubsub.ValidationResult {
		return h.hear(entry, topic, from, message.Data)
	}
	if err := h.pubsub.RegisterTopicValidator(path, hear, pubsub.WithValidatorInline(true)); err != nil {
		return nil, fmt.Errorf("cannot watch %s of chain %d: %w", topic, h.chainID, err)
	}
	if entry.topic, err = h.pubsub.Join(path); err != nil {
		return nil, fmt.Errorf("cannot join %s of chain %d: %w", topic, h.chainID, err)
	}
	h.topics[topic] = entry
	return entry, nil
}

// hear hands a frame to whoever wants it, and lets gossip forget it: only what is ours goes out.
func (h *Host) hear(entry *joined, topic Topic, from peer.ID, data []byte) pubsub.ValidationResult {
	if from == h.ID() {
		return pubsub.ValidationAccept
	}
	frame := Frame{ChainID: h.chainID, Topic: topic, From: from, Data: slices.Clone(data), At: time.Now()}
	h.mutex.Lock()
	handlers := slices.Clone(entry.handlers)
	h.mutex.Unlock()
	for _, handler := range handlers {
		handler(frame)
	}
	return pubsub.ValidationIgnore
}

func (h *Host) leave() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, entry := range h.topics {
		if entry.leave != nil {
			entry.leave()
		}
	}
}
