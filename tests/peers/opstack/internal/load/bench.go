package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/accesslist"
	"crosscheck.dev/opstack/internal/node"
	interop "github.com/ethereum-optimism/optimism/op-core/interop/messages"
)

const (
	// seed draws the questions.
	seed = 14
	// settle bounds how long a server may take until it knows every message.
	settle = 10 * time.Minute
	// coldLatency is that of the endpoints while cold lists are asked about.
	coldLatency = 50 * time.Millisecond
	// crowdSize is how many websockets, and how many half requests, are held.
	crowdSize = 256
	// crowdChecks is how many cold checks are asked at once.
	crowdChecks = 1000
	// firstAtOnce is how many blocks are cited for the first time in one list.
	firstAtOnce = 25
	// busy is the code of an answer that came too late, or that there was no room for.
	busy = -32603
	// level is what is asked for.
	level = "cross-unsafe"
	// together is within how many seconds the messages of a list were initiated, and later when the list is executed, in seconds: the
	// devnet's messages can be executed for 32 s.
	together, later = 28, 30
)

// Bench measures.
type Bench struct {
	Dir, Binary string
	Blocks      int
	Each        time.Duration
	Rounds      int
	Print       func(format string, args ...any)

	chains     *chains
	world      *accesslist.World
	filter     *node.Filter
	crosscheck *exec.Cmd
	random     *rand.Rand
}

// Run measures everything, and prints it.
func (b *Bench) Run(ctx context.Context) error {
	b.random = rand.New(rand.NewPCG(seed, seed))
	var err error
	if b.chains, err = build(ctx, b.Binary, b.Dir, b.Blocks); err != nil {
		return err
	}
	err = b.measured(ctx)
	if b.filter != nil {
		err = errors.Join(err, b.filter.Stop())
	}
	return errors.Join(err, end(b.crosscheck), b.chains.close())
}

func (b *Bench) measured(ctx context.Context) error {
	now := uint64(0)
	var members []uint64
	for chain := range b.chains.urls {
		members = append(members, chain.ID)
	}
	for i := range b.chains.messages {
		now = max(now, b.chains.messages[i].Identifier.Timestamp+blockTime)
	}
	b.world = &accesslist.World{Members: members, Now: now}
	b.Print("%d messages in two chains of %d blocks", len(b.chains.messages), b.Blocks)
	for _, step := range []func(context.Context) error{b.starts, b.cold, b.everywhere, b.spread, b.warm, b.crowd} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bench) ours() string { return "http://" + b.chains.settings.RPC.Addr }

func (b *Bench) theirs() string { return b.filter.RPC() }

// near are the messages that were initiated at a time or soon after it, of both chains.
func (b *Bench) near(from uint64) []interop.Message {
	var near []interop.Message
	for i := range b.chains.messages {
		if at := b.chains.messages[i].Identifier.Timestamp; at >= from && at <= from+together {
			near = append(near, b.chains.messages[i])
		}
	}
	return near
}

// asked asks about messages that were initiated at a time or soon after it.
func (b *Bench) asked(from uint64, list ...interop.Message) []byte {
	return Body(b.world.List(level, from+later, list...))
}

// list draws so many messages that were initiated at a time or soon after it.
func (b *Bench) list(from uint64, entries int) []byte {
	near := b.near(from)
	drawn := make([]interop.Message, entries)
	for i := range drawn {
		drawn[i] = near[b.random.IntN(len(near))]
	}
	return b.asked(from, drawn...)
}

// newest is when the newest messages were initiated.
func (b *Bench) newest() uint64 { return b.world.Now - blockTime - together }

// anywhere is a time at which some message was initiated.
func (b *Bench) anywhere() uint64 {
	return min(b.chains.messages[b.random.IntN(len(b.chains.messages))].Identifier.Timestamp, b.newest())
}

// starts measures the time from the start of each to its first right answer.
func (b *Bench) starts(ctx context.Context) error {
	question := b.list(b.newest(), 1)
	began := time.Now()
	file, err := os.Create(filepath.Join(b.Dir, "op-interop-filter.log"))
	if err != nil {
		return err
	}
	logger := log.NewLogger(log.LogfmtHandlerWithLevel(file, log.LevelWarn))
	if b.filter, err = node.StartFilter(ctx, b.Dir, b.chains.urls, logger); err != nil {
		return err
	}
	if err := b.first(ctx, b.theirs(), question); err != nil {
		return err
	}
	b.Print("start to the first right answer: op-interop-filter %.2f s", time.Since(began).Seconds())
	began = time.Now()
	if b.crosscheck, err = child(b.Binary, filepath.Join(b.Dir, "crosscheck.log"), "run", "--config", b.chains.config); err != nil {
		return err
	}
	if err := b.first(ctx, b.ours(), question); err != nil {
		return err
	}
	b.Print("start to the first right answer: Crosscheck %.2f s", time.Since(began).Seconds())
	return nil
}

func (b *Bench) first(ctx context.Context, url string, question []byte) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	client := Client(1)
	defer client.CloseIdleConnections()
	for {
		code, err := Ask(ctx, client, url, question)
		if err == nil && code == accesslist.Valid {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s says %d, %w", url, code, errors.Join(err, ctx.Err()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// cold asks Crosscheck about blocks that it has not read, behind slow endpoints. op-interop-filter has read all of them.
func (b *Bench) cold(ctx context.Context) error {
	b.chains.slow(coldLatency)
	defer b.chains.slow(0)
	client := Client(1)
	defer client.CloseIdleConnections()
	oldest := b.chains.messages[0].Identifier.Timestamp
	for i, entries := range []int{1, 10, 25} {
		from := oldest + uint64(i)*2*together
		var list []interop.Message
		blocks := map[string]bool{}
		for _, message := range b.near(from) {
			block := fmt.Sprint(message.Identifier.ChainID, message.Identifier.BlockNumber)
			if len(list) < entries && !blocks[block] {
				blocks[block], list = true, append(list, message)
			}
		}
		began := time.Now()
		code, err := Ask(ctx, client, b.ours(), b.asked(from, list...))
		if err != nil {
			return err
		}
		b.Print("%d cold entries behind endpoints of %s: Crosscheck %.3f s (code %d)", len(list), coldLatency, time.Since(began).Seconds(), code)
	}
	return nil
}

// turns measures both in turns.
func (b *Bench) turns(ctx context.Context, what string, connections int, question func() []byte) error {
	questions := make([][]byte, 2000)
	for i := range questions {
		questions[i] = question()
	}
	for round := range b.Rounds {
		var rates [2]float64
		for i, url := range []string{b.theirs(), b.ours()} {
			figures, err := Run(ctx, url, connections, b.Each, 0, func(n int) []byte { return questions[n%len(questions)] })
			if err != nil {
				return err
			}
			if err := figures.AllValid(); err != nil {
				return fmt.Errorf("%s: %w", url, err)
			}
			rates[i] = figures.Rate()
			b.Print("%s, %d connections, round %d: %s %.0f/s, p50 %s, p99 %s", what, connections, round+1,
				[]string{"op-interop-filter", "Crosscheck"}[i], figures.Rate(), figures.At(0.5), figures.At(0.99))
		}
		b.Print("%s, %d connections, round %d: ratio %.2f", what, connections, round+1, rates[1]/rates[0])
	}
	return nil
}

func (b *Bench) warm(ctx context.Context) error {
	for _, entries := range []int{1, 10} {
		for _, connections := range []int{1, 8, 64} {
			what := fmt.Sprintf("warm, %d entries", entries)
			if err := b.turns(ctx, what, connections, func() []byte { return b.list(b.newest(), entries) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// everywhere cites every block of the chains once, in the order of time: op-interop-filter has read them at its start.
func (b *Bench) everywhere(ctx context.Context) error {
	var lists [][]byte
	var list []interop.Message
	var from uint64
	blocks := map[string]bool{}
	flush := func() {
		if len(list) > 0 {
			lists = append(lists, b.asked(from, list...))
		}
		list = nil
	}
	messages := slices.SortedStableFunc(slices.Values(b.chains.messages), func(x, y interop.Message) int {
		return cmp.Compare(x.Identifier.Timestamp, y.Identifier.Timestamp)
	})
	for _, message := range messages {
		id := message.Identifier
		block := fmt.Sprint(id.ChainID, id.BlockNumber)
		if id.Timestamp > b.newest() || blocks[block] {
			continue
		}
		if len(list) == firstAtOnce || len(list) > 0 && id.Timestamp > from+together {
			flush()
		}
		if len(list) == 0 {
			from = id.Timestamp
		}
		blocks[block], list = true, append(list, message)
	}
	flush()
	began, again := time.Now(), 0
	client := Client(1)
	defer client.CloseIdleConnections()
	for _, list := range lists {
		for code := 1; code != accesslist.Valid; {
			var err error
			if code, err = Ask(ctx, client, b.ours(), list); err != nil {
				return err
			}
			if code == busy {
				again++
			} else if code != accesslist.Valid {
				return fmt.Errorf("%s answers %d", b.ours(), code)
			}
		}
	}
	took := time.Since(began).Seconds()
	b.Print("first citations of %d blocks: Crosscheck %.0f blocks/s, %d answers that it was busy or late; then %s", len(blocks), float64(len(blocks))/took, again, b.resident())
	return nil
}

func (b *Bench) spread(ctx context.Context) error {
	for _, connections := range []int{8, 64} {
		if err := b.turns(ctx, "spread over all blocks, 10 entries", connections, func() []byte { return b.list(b.anywhere(), 10) }); err != nil {
			return err
		}
	}
	return nil
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+ kB)`)

func (b *Bench) resident() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.crosscheck.Process.Pid))
	if err != nil {
		return "not known"
	}
	return strings.TrimSpace(string(resident.Find(text)))
}

// crowd holds websockets and half requests, and asks about blocks behind slow endpoints, while others ask about known ones. The
// blocks are cold again because Crosscheck is started anew.
func (b *Bench) crowd(ctx context.Context) error {
	if err := end(b.crosscheck); err != nil {
		return err
	}
	var err error
	if b.crosscheck, err = child(b.Binary, filepath.Join(b.Dir, "crosscheck-again.log"), "run", "--config", b.chains.config); err != nil {
		return err
	}
	warm := b.list(b.newest(), 1)
	if err := b.first(ctx, b.ours(), warm); err != nil {
		return err
	}
	b.Print("before the crowd: %s", b.resident())
	b.chains.slow(4 * coldLatency)
	defer b.chains.slow(0)
	held, err := Gather(ctx, b.ours(), crowdSize)
	if err != nil {
		return err
	}
	type outcome struct {
		figures *Figures
		err     error
	}
	cold := make(chan outcome)
	questions := make([][]byte, crowdChecks)
	for i := range questions {
		questions[i] = b.list(b.anywhere(), 25)
	}
	go func() {
		figures, err := Run(ctx, b.ours(), crowdChecks, time.Minute, crowdChecks, func(n int) []byte { return questions[n] })
		cold <- outcome{figures, err}
	}()
	others, err := Run(ctx, b.ours(), 1, 2*time.Second, 0, func(int) []byte { return warm })
	checks := <-cold
	if err := errors.Join(err, checks.err); err != nil {
		return errors.Join(err, held.Leave())
	}
	b.Print("%d cold checks at once: answers by code %v, p50 %s, longest %s", crowdChecks, checks.figures.Codes, checks.figures.At(0.5), checks.figures.At(1))
	b.Print("another caller meanwhile: answers by code %v, p50 %s, p99 %s, longest %s", others.Codes, others.At(0.5), others.At(0.99), others.At(1))
	b.Print("with the crowd: %s", b.resident())
	b.Print("half requests were answered: %v", held.Given(40*time.Second))
	return held.Leave()
}
