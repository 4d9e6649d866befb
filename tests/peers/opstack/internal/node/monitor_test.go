package node

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestJudgementsAreReadAsTheyAreLogged(t *testing.T) {
	m := &Monitor{judged: map[judgedBlock][]Judgement{}}
	first := time.Unix(7, 0)
	job := func(status string) string {
		return "Job{executing: 901@42:0x01020304, payload: 0xaabbccdd, initiating: 902@41:3, status: " + status + "}"
	}
	m.add(job("unknown"), first)
	m.add(job("invalid"), first.Add(time.Second))
	m.add(job("invalid"), first.Add(time.Minute))
	m.add("Job{something else}", first)
	hash := common.HexToHash("0x0102030405060708091011121314151617181920212223242526272829303132")
	require.Equal(t, []Judgement{{"unknown", first}, {"invalid", first.Add(time.Second)}}, m.Of(901, 42, hash))
	require.Empty(t, m.Of(901, 43, hash))
}
