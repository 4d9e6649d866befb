package actions

import (
	"context"
	"fmt"
	"slices"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/message"
)

type between struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Kind is one of message.Kinds. Empty: a valid message.
	Kind message.Kind `json:"kind"`
}

func (a *actions) messages() []control.Action {
	return []control.Action{
		control.New("send-message", fmt.Sprintf("initiates a message and executes it; kind is one of %v", message.Kinds), a.send),
		control.New("send-transaction", "makes a log on one chain, which is an initiating message",
			func(ctx context.Context, p onChain) (any, error) {
				if _, err := a.chain(p.Chain); err != nil {
					return nil, err
				}
				return a.sender.Initiate(ctx, p.Chain)
			}),
	}
}

func (a *actions) send(ctx context.Context, p between) (any, error) {
	for _, id := range []uint64{p.From, p.To} {
		if _, err := a.chain(id); err != nil {
			return nil, err
		}
	}
	switch {
	case p.Kind == "":
		return a.sender.Send(ctx, p.From, p.To, message.Valid)
	case p.Kind == message.Cycle:
		return a.sender.SendCycle(ctx, p.From, p.To)
	case p.Kind == message.SameTimestamp:
		return a.sender.SendSameTimestamp(ctx, p.From, p.To)
	case !slices.Contains(message.Kinds, p.Kind):
		return nil, fmt.Errorf("there is no kind %q", p.Kind)
	}
	return a.sender.Send(ctx, p.From, p.To, p.Kind)
}
