package proxy

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestStaleAsksByHash(t *testing.T) {
	hash := common.HexToHash("0x77")
	rewrite := Stale(50, hash).stale.rewrite
	asks := `{"id":1,"jsonrpc":"2.0","method":"eth_getBlockByNumber","params":["0x32",false]}`
	wanted := `{"id":1,"jsonrpc":"2.0","method":"eth_getBlockByHash","params":["` + hash.Hex() + `",false]}`
	require.JSONEq(t, wanted, string(rewrite([]byte(asks))))
	require.JSONEq(t, "["+wanted+","+wanted+"]", string(rewrite([]byte("["+asks+","+asks+"]"))))
	for _, other := range []string{
		`{"id":1,"method":"eth_getBlockByNumber","params":["0x33",false]}`,
		`{"id":1,"method":"eth_getBlockByNumber","params":["latest",false]}`,
		`{"id":1,"method":"eth_getBlockReceipts","params":["0x32"]}`,
		`{"id":1,"method":"eth_chainId"}`,
		`no JSON`,
	} {
		require.Equal(t, other, string(rewrite([]byte(other))))
	}
}
