package sidecar

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func line(second int, message, fields string) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-28T10:00:%02d.5Z","level":"WARN","target":"crosscheck","message":%q%s}`, second, message, fields)
}

func TestALineBecomesAnEvent(t *testing.T) {
	event := parseEvent(line(7, "reorg", `,"chain_id":"901","depth":3,"reason":null`), time.Now())
	require.Equal(t, "WARN", event.Level)
	require.Equal(t, "crosscheck", event.Target)
	require.Equal(t, 7, event.Time.Second())
	require.True(t, event.Is(LineReorg, 901))
	require.True(t, event.Is(LineReorg, 0))
	require.False(t, event.Is(LineReorg, 902))
	depth, known := event.Number("depth")
	require.True(t, known)
	require.EqualValues(t, 3, depth)
	require.Empty(t, event.Text("reason"))
	require.Empty(t, event.Text("other"))
}

func TestAFieldWithTheNameOfOneOfTheLinesOwnIsKeptApart(t *testing.T) {
	event := parseEvent(line(1, LineInvalid, `,"chain_id":"901","level":"local-safe"`), time.Now())
	require.Equal(t, "WARN", event.Level)
	require.Equal(t, "local-safe", event.Text("level"))
}

func TestWhatIsNoJSONIsAnEventAllTheSame(t *testing.T) {
	for _, text := range []string{"thread 'main' panicked", "null", "7", "[]", `{"level":"INFO"` + "\n{", `{"level":}`} {
		event := parseEvent(text, time.Unix(5, 0))
		require.Equal(t, text, event.Message)
		require.Empty(t, event.Level)
		require.Equal(t, time.Unix(5, 0), event.Time)
		require.Empty(t, event.Text("chain_id"))
	}
}

func TestTheLogIsAwaitedAndReadFromAnyPlace(t *testing.T) {
	log := newLog()
	log.add(Event{Message: "one"})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	go func() { log.add(Event{Message: "two"}) }()
	two, err := log.Await(ctx, 0, "two", func(e *Event) bool { return e.Message == "two" })
	require.NoError(t, err)
	require.EqualValues(t, 2, two.ID)
	require.Len(t, log.After(1, nil), 1)
	require.Empty(t, log.After(9, nil))
	short, cancelShort := context.WithTimeout(ctx, time.Millisecond)
	defer cancelShort()
	_, err = log.Await(short, two.ID, "two", func(e *Event) bool { return e.Message == "two" })
	require.ErrorIs(t, err, context.DeadlineExceeded, "what was before the place does not count")
}

func TestTheLogIsBounded(t *testing.T) {
	log := newLog()
	for range maxEvents + 1 {
		log.add(Event{})
	}
	require.EqualValues(t, maxEvents/10, log.Dropped())
	all := log.After(0, nil)
	require.Len(t, all, maxEvents-maxEvents/10+1)
	require.Equal(t, log.Last(), all[len(all)-1].ID)
	require.Len(t, log.After(log.Last()-1, nil), 1)
}

func TestTimesAreOfTheSubject(t *testing.T) {
	block := BlockKey{ChainID: 901, Number: 5, Hash: common.HexToHash("0x05")}
	fields := func(hash common.Hash, more string) string {
		return fmt.Sprintf(`,"chain_id":"901","number":5,"hash":"%s"%s`, hash, more)
	}
	log := newLog()
	for _, text := range []string{
		line(1, LineSuspect, fields(block.Hash, `,"transaction":"`+common.HexToHash("0xaa").Hex()+`"`)),
		line(2, LineInvalid, fields(common.HexToHash("0x06"), `,"log_index":0`)),
		line(3, LineInvalid, fields(block.Hash, `,"log_index":0`)),
		line(4, LineInvalid, fields(block.Hash, `,"log_index":1`)),
	} {
		log.add(parseEvent(text, time.Now()))
	}
	one := uint64(1)
	times := log.TimesOf(Subject{Block: block, LogIndex: &one, Transaction: common.HexToHash("0xbb")})
	require.True(t, times.Suspect.IsZero(), "another transaction's")
	require.Equal(t, 4, times.Invalid.Second())
	require.Equal(t, 1, log.TimesOf(Subject{Block: block}).Suspect.Second())
	require.Equal(t, 3, log.TimesOf(Subject{Block: block}).Invalid.Second())
}

func TestLongLinesAreCutAndTheLastNeedsNoEnd(t *testing.T) {
	var lines []string
	text := strings.Repeat("x", maxLine+100_000) + "\n\nshort\r\nlast"
	readLines(strings.NewReader(text), func(line string) { lines = append(lines, line) })
	require.Len(t, lines, 3)
	require.Len(t, lines[0], maxLine)
	require.Equal(t, []string{"short", "last"}, lines[1:])
}
