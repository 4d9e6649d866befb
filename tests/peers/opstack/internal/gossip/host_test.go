package gossip

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTopicPaths(t *testing.T) {
	for topic, path := range map[Topic]string{
		BlocksV1: "/optimism/10/0/blocks", BlocksV4: "/optimism/10/3/blocks", CrossSafe: "/optimism/10/0/cross-safe-blocks",
	} {
		actual, err := topic.Path(10)
		require.NoError(t, err)
		require.Equal(t, path, actual)
	}
	_, err := Topic("blocksv5").Path(10)
	require.Error(t, err)
}

func TestTwoHostsExchangeFrames(t *testing.T) {
	ctx := deadline(t)
	one, two := dialled(t, ctx)
	for _, pair := range [][2]*Host{{one, two}, {two, one}} {
		from, to := pair[0], pair[1]
		for _, topic := range Topics() {
			listener, err := Listen(to, topic)
			require.NoError(t, err)
			require.NoError(t, from.AwaitListener(ctx, topic, to.ID()))
			data := []byte(string(topic) + from.ID().String())
			require.NoError(t, from.Publish(ctx, topic, data))
			frame, err := listener.Await(ctx, func(Frame) bool { return true })
			require.NoError(t, err)
			require.Equal(t, data, frame.Data)
			require.Equal(t, topic, frame.Topic)
			require.Equal(t, from.ID(), frame.From)
			require.EqualValues(t, testChain, frame.ChainID)
		}
	}
}

func TestLostConnectionsAreDialledAgain(t *testing.T) {
	ctx := deadline(t)
	one, two := dialled(t, ctx)
	lost, unwatch := one.watch(two.ID())
	defer unwatch()
	require.NoError(t, two.Disconnect(one.ID()))
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("the connection was not lost")
	}
	require.NoError(t, one.AwaitConnected(ctx, two.ID()))
	require.NoError(t, two.AwaitConnected(ctx, one.ID()))
}

func TestWhatIsHeardIsNotPassedOn(t *testing.T) {
	ctx := deadline(t)
	source, middle := dialled(t, ctx)
	end := startHost(t, "end")
	address, err := end.Multiaddr()
	require.NoError(t, err)
	require.NoError(t, middle.Connect(ctx, address))
	ears := map[*Host]*Listener{}
	for _, host := range []*Host{middle, end} {
		ears[host], err = Listen(host, BlocksV4)
		require.NoError(t, err)
	}
	require.NoError(t, source.AwaitListener(ctx, BlocksV4, middle.ID()))
	require.NoError(t, middle.AwaitListener(ctx, BlocksV4, end.ID()))
	require.NoError(t, source.Publish(ctx, BlocksV4, []byte("from the source")))
	_, err = ears[middle].Await(ctx, func(Frame) bool { return true })
	require.NoError(t, err)
	require.NoError(t, middle.Publish(ctx, BlocksV4, []byte("from the middle")))
	_, err = ears[end].Await(ctx, func(frame Frame) bool { return string(frame.Data) == "from the middle" })
	require.NoError(t, err)
	require.Len(t, ears[end].Frames(), 1)
	// What was heard may still be said by the host itself.
	require.NoError(t, middle.Publish(ctx, BlocksV4, []byte("from the source")))
	_, err = ears[end].Await(ctx, func(frame Frame) bool { return string(frame.Data) == "from the source" })
	require.NoError(t, err)
}

func TestABystanderReplaysByteForByte(t *testing.T) {
	ctx := deadline(t)
	sequencer, between := dialled(t, ctx)
	bystander, err := NewBystander(between)
	require.NoError(t, err)
	listener, err := Listen(sequencer, CrossSafe)
	require.NoError(t, err)
	require.NoError(t, sequencer.AwaitListener(ctx, BlocksV4, between.ID()))
	require.NoError(t, between.AwaitListener(ctx, CrossSafe, sequencer.ID()))
	envelope, err := FromBlock(testRollup(), madeUpBlock(7, [32]byte{}))
	require.NoError(t, err)
	frame, err := Seal(testChain, envelope, Manner{Key: testKey(t), Domain: ZeroDomain})
	require.NoError(t, err)
	bystander.Switch(true)
	require.NoError(t, sequencer.Publish(ctx, BlocksV4, frame))
	replayed, err := listener.Await(ctx, func(Frame) bool { return true })
	require.NoError(t, err)
	require.Equal(t, frame, replayed.Data)
	require.Len(t, bystander.Replayed(), 1)
	require.Zero(t, bystander.Lost())
}
