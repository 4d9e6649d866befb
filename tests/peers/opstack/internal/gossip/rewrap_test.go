package gossip

import (
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
)

func TestARewrappedFrameHoldsTheSameBlock(t *testing.T) {
	key := testKey(t)
	envelope, err := FromBlock(testRollup(), madeUpBlock(7, [32]byte{1}))
	require.NoError(t, err)
	data, err := Seal(testChain, envelope, Manner{Key: key, Domain: ZeroDomain})
	require.NoError(t, err)
	for _, form := range Forms() {
		rewrapped, err := form.Rewrap(data)
		require.NoError(t, err, form.Name)
		require.NotEqual(t, data, rewrapped, form.Name)
		read, err := form.IsRead(data)
		require.NoError(t, err, form.Name)
		if !read {
			continue
		}
		opened, err := Frame{ChainID: testChain, Topic: BlocksV4, Data: rewrapped}.Open()
		require.NoError(t, err, form.Name)
		require.Equal(t, crypto.PubkeyToAddress(key.PublicKey), opened.Zero, form.Name)
		require.Equal(t, envelope, opened.Envelope, form.Name)
	}
	_, err = Forms()[0].Rewrap([]byte("no frame"))
	require.Error(t, err)
}
