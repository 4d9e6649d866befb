package proxy

import (
	"encoding/json"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// stale is the block that is still told at a height, though another stands there by now.
type stale struct {
	height string
	hash   string
}

// Stale goes on telling this block at its height, as a cache does that has not heard of the other. All else passes. The endpoint
// must still know the block. Websockets are left alone.
func Stale(height uint64, hash common.Hash) Fault {
	return Fault{stale: &stale{height: hexutil.EncodeUint64(height), hash: hash.Hex()}}
}

// rewrite asks for the block by its hash where it is asked for by its height.
func (s *stale) rewrite(text []byte) []byte {
	var batch []json.RawMessage
	if json.Unmarshal(text, &batch) != nil {
		return s.rewriteOne(text)
	}
	for i, call := range batch {
		batch[i] = s.rewriteOne(call)
	}
	if written, err := json.Marshal(batch); err == nil {
		return written
	}
	return text
}

func (s *stale) rewriteOne(text []byte) []byte {
	call := map[string]json.RawMessage{}
	var method, height string
	var params []json.RawMessage
	if json.Unmarshal(text, &call) != nil || json.Unmarshal(call["method"], &method) != nil || method != "eth_getBlockByNumber" ||
		json.Unmarshal(call["params"], &params) != nil || len(params) == 0 || json.Unmarshal(params[0], &height) != nil ||
		!strings.EqualFold(height, s.height) {
		return text
	}
	params[0] = json.RawMessage(`"` + s.hash + `"`)
	call["method"] = json.RawMessage(`"eth_getBlockByHash"`)
	var err error
	if call["params"], err = json.Marshal(params); err != nil {
		return text
	}
	written, err := json.Marshal(call)
	if err != nil {
		return text
	}
	return written
}
