package sidecar

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

func attested(height uint64, verdict string) Attestation {
	return Attestation{BlockKey: BlockKey{ChainID: 901, Number: height}, Origin: OriginAttested, Verdict: verdict}
}

func TestHeightsThatAreNotUpheld(t *testing.T) {
	ancestor := attested(4, Upheld)
	ancestor.Origin = OriginAncestor
	all := []Attestation{
		attested(1, Upheld), attested(2, UpheldReplacement), attested(2, Discarded), attested(3, Violated),
		ancestor, attested(5, Open),
	}
	require.Equal(t, []uint64{3, 5, 6}, NotUpheld(all, 1, 6))
	require.Equal(t, []uint64{3, 4, 5, 6}, NotAttested(all, 1, 6))
	others := NotUpheldBlocks(all)
	require.Len(t, others, 2)
	require.EqualValues(t, 2, others[0].Number)
}

func TestOfAMessageThatCameTwiceTheNewestIsKept(t *testing.T) {
	message := func(log, sequence uint64) Message { return Message{LogIndex: log, Sequence: sequence} }
	kept := newest([]Message{message(0, 1), message(1, 2), message(0, 3)})
	require.Equal(t, []Message{message(1, 2), message(0, 3)}, kept)
}

func TestMetricsAreChosenByLabels(t *testing.T) {
	metrics, err := parseMetrics([]byte(`# TYPE a_total counter
a_total{chain_id="901",verdict="upheld"} 3
a_total{chain_id="902",verdict="upheld"} 4
# TYPE s_seconds histogram
s_seconds_bucket{chain_id="901",le="+Inf"} 2
s_seconds_sum{chain_id="901"} 1.5
s_seconds_count{chain_id="901"} 2
`))
	require.NoError(t, err)
	value, known := metrics.Get("a_total", Labels{"chain_id": "902"})
	require.True(t, known)
	require.EqualValues(t, 4, value)
	_, known = metrics.Get("a_total", Labels{"verdict": "upheld"})
	require.False(t, known, "two series have it")
	require.EqualValues(t, 7, metrics.Sum("a_total", nil))
	require.EqualValues(t, 0, metrics.Sum("a_total", Labels{"other": "x"}))
	require.EqualValues(t, 2, metrics.Sum("s_seconds", nil))
	require.EqualValues(t, 1.5, metrics.HistogramSum("s_seconds", Labels{"chain_id": "901"}))
	require.EqualValues(t, 0, metrics.Sum("none", nil))
}

func TestWaitingToleratesFailuresAndTellsTheLast(t *testing.T) {
	asked := 0
	ask := func(context.Context) (int, error) {
		asked++
		if asked == 1 {
			return 0, errors.New("not there")
		}
		return asked, nil
	}
	answer, err := WaitFor(context.Background(), "three", ask, func(n int) bool { return n == 3 })
	require.NoError(t, err)
	require.Equal(t, 3, answer)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = WaitFor(ctx, "a hundred", ask, func(n int) bool { return n == 100 })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "waited in vain for a hundred")
	require.ErrorContains(t, err, "the last answer was 4")
}

func TestARecordingTellsWhatWasEverServed(t *testing.T) {
	id := func(number uint64, hash byte) eth.BlockID {
		return eth.BlockID{Number: number, Hash: common.Hash{hash}}
	}
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	var recording Recording
	recording.note(Heads{LocalSafe: id(5, 5), Safe: id(4, 4)}, at(1))
	recording.note(Heads{LocalSafe: id(5, 5), Safe: id(4, 4)}, at(2))
	recording.note(Heads{LocalSafe: id(6, 66), Safe: id(4, 4)}, at(3))
	recording.note(Heads{LocalSafe: id(5, 5), Safe: id(4, 4)}, at(4))
	require.Len(t, recording.Spans, 3)
	require.Equal(t, 2, recording.Spans[0].Polls)

	require.Equal(t, []Sighting{{Level: LevelLocalSafe, First: at(1), Last: at(4)}}, recording.Sightings(common.Hash{5}))
	require.Empty(t, recording.Sightings(common.Hash{9}))
	require.Equal(t, []Head{{BlockID: id(6, 66), First: at(3)}}, recording.Passed(LevelLocalSafe, 6))
	require.Empty(t, recording.Retractions(LevelSafe))
	require.Len(t, recording.Retractions(LevelLocalSafe), 1)
	require.Equal(t, 3*time.Second, recording.LongestStill(LevelSafe))
	require.Equal(t, time.Second, recording.LongestStill(LevelLocalSafe))
}

func TestWhatIsToldTwiceIsFound(t *testing.T) {
	log, attributable := uint64(3), true
	block := BlockKey{ChainID: 901, Number: 5}
	invalid := Told{Kind: ToldInvalid, Executing: ExecutingBlock{BlockKey: block}, LogIndex: &log}
	verdict := Told{Kind: ToldVerdict, Block: block}
	bound := Told{Kind: ToldVerdict, Block: block, Attributable: &attributable}
	flip := Told{Kind: ToldFlip, Executing: ExecutingBlock{BlockKey: block}, LogIndex: &log}
	require.Empty(t, ToldTwice([]Told{invalid, verdict, bound, flip, flip}))
	twice := ToldTwice([]Told{invalid, bound, bound, invalid})
	require.Len(t, twice, 2)
	require.Contains(t, twice[0], "attributable true")
	require.Contains(t, twice[1], "log 3 of 901/5")
}
