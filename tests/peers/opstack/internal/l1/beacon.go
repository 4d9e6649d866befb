package l1

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// keptSlots bounds how many slots have their blobs kept.
const keptSlots = 2048

// beacon serves the blobs of the chain's blocks by slot, as a beacon node does. Upstream's stand-in for one remembers the
// blobs of a replaced block beside those of the block that has its slot, and then refuses a blob that both have.
type beacon struct {
	genesis, blockTime uint64
	listener           net.Listener
	server             *http.Server
	serving            sync.WaitGroup

	mu    sync.Mutex
	slots map[uint64][]blob
}

func startBeacon(genesis, blockTime uint64) (*beacon, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the beacon node cannot listen: %w", err)
	}
	b := &beacon{genesis: genesis, blockTime: blockTime, listener: listener, slots: map[uint64][]blob{0: nil}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /eth/v1/beacon/genesis", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, eth.APIGenesisResponse{Data: eth.ReducedGenesisData{GenesisTime: eth.Uint64String(genesis)}})
	})
	mux.HandleFunc("GET /eth/v1/config/spec", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, eth.APIConfigResponse{Data: eth.ReducedConfigData{SecondsPerSlot: eth.Uint64String(blockTime)}})
	})
	mux.HandleFunc("GET /eth/v1/beacon/blobs/{slot}", b.serveBlobs)
	b.server = &http.Server{Handler: mux, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second}
	b.serving.Go(func() { _ = b.server.Serve(listener) })
	return b, nil
}

func (b *beacon) url() string { return "http://" + b.listener.Addr().String() }

func (b *beacon) close() error {
	err := b.server.Close()
	b.serving.Wait()
	return err
}

func (b *beacon) slot(time uint64) uint64 { return (time - b.genesis) / b.blockTime }

// put says which blobs the block of a time has. Those of another block of that time are forgotten.
func (b *beacon) put(time uint64, blobs []blob) {
	slot := b.slot(time)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slots[slot] = blobs
	maps.DeleteFunc(b.slots, func(old uint64, _ []blob) bool { return old+keptSlots < slot })
}

var (
	errNoBlock = errors.New("the slot has no block")
	errNoBlob  = errors.New("the block does not have the blob")
)

// find are the blobs with some hashes, of the block of a time.
func (b *beacon) find(time uint64, wanted []common.Hash) ([]blob, error) {
	all, err := b.all(b.slot(time))
	if err != nil {
		return nil, err
	}
	byHash := map[common.Hash]blob{}
	for _, blob := range all {
		byHash[blob.hash] = blob
	}
	found := make([]blob, 0, len(wanted))
	for _, hash := range wanted {
		blob, known := byHash[hash]
		if !known {
			return nil, fmt.Errorf("%w %s", errNoBlob, hash)
		}
		found = append(found, blob)
	}
	return found, nil
}

func (b *beacon) all(slot uint64) ([]blob, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	blobs, known := b.slots[slot]
	if !known {
		return nil, errNoBlock
	}
	return blobs, nil
}

// serveBlobs answers with the blobs of a slot that are asked for, in the order of the block.
func (b *beacon) serveBlobs(w http.ResponseWriter, request *http.Request) {
	slot, err := strconv.ParseUint(request.PathValue("slot"), 10, 64)
	if err != nil {
		http.Error(w, "the slot is not a number", http.StatusBadRequest)
		return
	}
	all, err := b.all(slot)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	query := request.URL.Query()["versioned_hashes"]
	wanted := map[common.Hash]bool{}
	for _, hash := range query {
		wanted[common.HexToHash(hash)] = true
	}
	response := eth.APIBeaconBlobsResponse{Data: []*eth.Blob{}}
	for _, blob := range all {
		if len(query) == 0 || wanted[blob.hash] {
			response.Data = append(response.Data, blob.data)
		}
	}
	answer(w, response)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	// Only a client that has gone makes this fail.
	_ = json.NewEncoder(w).Encode(value)
}
