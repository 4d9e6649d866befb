package gossip

import (
	"sync/atomic"
	"time"
)

// backlog is how many frames may wait to be replayed. One more is lost.
const backlog = 256

// Bystander holds no key. It republishes each frame of blocksv4, byte for byte, on the topic of attestations. It starts
// switched off.
type Bystander struct {
	host    *Host
	on      atomic.Bool
	delay   atomic.Int64
	queue   chan Frame
	replays *journal[Frame]
	lost    atomic.Uint64
}

// NewBystander makes a bystander of a host. It ends with the host.
func NewBystander(host *Host) (*Bystander, error) {
	bystander := &Bystander{host: host, queue: make(chan Frame, backlog), replays: newJournal[Frame]()}
	if err := host.Subscribe(BlocksV4, bystander.hear); err != nil {
		return nil, err
	}
	host.kept.Add(1)
	go bystander.run()
	return bystander, nil
}

// Switch turns the replays on or off. Frames that are heard while they are off are not replayed later.
func (b *Bystander) Switch(on bool) { b.on.Store(on) }

// Slow has each frame wait that long before it is published again. Zero: none does.
func (b *Bystander) Slow(delay time.Duration) { b.delay.Store(int64(delay)) }

// Replayed are the frames that were published again, in order. Their times are those of the replay.
func (b *Bystander) Replayed() []Frame { return b.replays.all() }

// Lost counts the frames that came faster than they could be published again.
func (b *Bystander) Lost() uint64 { return b.lost.Load() }

func (b *Bystander) hear(frame Frame) {
	if !b.on.Load() {
		return
	}
	select {
	case b.queue <- frame:
	default:
		b.lost.Add(1)
	}
}

func (b *Bystander) run() {
	defer b.host.kept.Done()
	for {
		select {
		case <-b.host.ctx.Done():
			return
		case frame := <-b.queue:
			if !pause(b.host.ctx, time.Until(frame.At.Add(time.Duration(b.delay.Load())))) {
				return
			}
			if err := b.host.Publish(b.host.ctx, CrossSafe, frame.Data); err != nil {
				b.host.log.Warn("A frame could not be replayed", "chain", frame.ChainID, "err", err)
				continue
			}
			frame.Topic, frame.From, frame.At = CrossSafe, b.host.ID(), time.Now()
			b.replays.add(frame)
		}
	}
}
