package accesslist

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// World is what the questions are about.
type World struct {
	// Messages are what blocks hold that both servers have verified. They are past the activation block.
	Messages []messages.Message
	// Early are of the activation block or before it.
	Early []messages.Message
	// Members are the chains of the dependency set.
	Members []uint64
	// Window is for how many seconds a message can be executed.
	Window uint64
	// Now is past every message's timestamp.
	Now uint64
}

const (
	// never is far more than any chain comes to while it is asked, in blocks or seconds.
	never = 1_000_000
	// noSuchChain is in no dependency set.
	noSuchChain = 31337
)

var levels = []string{"unsafe", "cross-unsafe"}

// descriptor is what Go's client sends.
type descriptor struct {
	chain           uint64
	timestamp, left uint64
}

func (d descriptor) json() string {
	return fmt.Sprintf(`{"chainID":"%d","timestamp":"%#x","timeout":"%#x"}`, d.chain, d.timestamp, d.left)
}

// params are those of one question.
func params(entries []common.Hash, level, descriptor string) json.RawMessage {
	list, err := json.Marshal(entries)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `[%s,%q,%s]`, list, level, descriptor)
}

func entries(list ...messages.Access) []common.Hash { return messages.EncodeAccessList(list) }

// Designed are the questions that somebody thought of, of every message.
func (w *World) Designed() []Case {
	var cases []Case
	for i := range w.Messages {
		cases = append(cases, w.about(w.Messages[i])...)
	}
	for i := range w.Early {
		cases = w.add(cases, famActivation, w.Early[i].Access(), w.usual(w.Early[i]))
	}
	if len(w.Messages) > 0 {
		cases = append(cases, w.malformed(w.Messages[0])...)
		cases = append(cases, w.spelt(w.Messages[0])...)
	}
	return cases
}

// usual is the execution of a message on another chain, now.
func (w *World) usual(m messages.Message) descriptor {
	chain := w.Members[0]
	if m.Identifier.ChainID == eth.ChainIDFromUInt64(chain) {
		chain = w.Members[len(w.Members)-1]
	}
	return descriptor{chain: chain, timestamp: w.Now, left: 60}
}

func (w *World) add(cases []Case, family string, access messages.Access, d descriptor) []Case {
	for _, level := range levels {
		cases = append(cases, Case{Family: family, Params: params(entries(access), level, d.json())})
	}
	return cases
}

// about are the questions about one message: as it is, with each field changed, told consistently wrong, and executed at all times.
func (w *World) about(m messages.Message) []Case {
	good, usual := m.Access(), w.usual(m)
	var cases []Case
	one := func(family string, change func(*messages.Access)) {
		access := good
		change(&access)
		cases = w.add(cases, family, access, usual)
	}
	lie := func(field string, change func(*messages.Message)) {
		lying := m
		change(&lying)
		cases = w.add(cases, "a consistent lie: "+field, lying.Access(), usual)
	}
	at := func(family string, d descriptor) { cases = w.add(cases, family, good, d) }

	one("as it is", func(*messages.Access) {})
	for _, by := range []int64{-1, 1} {
		one("block off by one", func(a *messages.Access) { a.BlockNumber = uint64(int64(a.BlockNumber) + by) })
		one("timestamp off by one", func(a *messages.Access) { a.Timestamp = uint64(int64(a.Timestamp) + by) })
	}
	one("block that will not be for long, at an old time", func(a *messages.Access) { a.BlockNumber += never })
	one("last block of all, at an old time", func(a *messages.Access) { a.BlockNumber = math.MaxUint64 })
	one(famGenesis, func(a *messages.Access) { a.BlockNumber = 0 })
	one("timestamp 0", func(a *messages.Access) { a.Timestamp = 0 })
	one(famEndOfTime, func(a *messages.Access) { a.Timestamp = math.MaxUint64 })
	one("next log", func(a *messages.Access) { a.LogIndex++ })
	one("log far on", func(a *messages.Access) { a.LogIndex += 1000 })
	one("last log of all", func(a *messages.Access) { a.LogIndex = math.MaxUint32 })
	for _, place := range []int{1, 13, 31} {
		one("a bit of the checksum", func(a *messages.Access) { a.Checksum[place] ^= 1 })
	}
	for _, chain := range w.Members {
		if id := eth.ChainIDFromUInt64(chain); id != good.ChainID {
			one("another chain of the set", func(a *messages.Access) { a.ChainID = id })
		}
	}
	for _, chain := range w.strangers() {
		one("a chain that is not in the set", func(a *messages.Access) { a.ChainID = chain })
	}

	lie("origin", func(m *messages.Message) { m.Identifier.Origin[19] ^= 1 })
	lie("payload", func(m *messages.Message) { m.PayloadHash[0] ^= 1 })
	lie("log index", func(m *messages.Message) { m.Identifier.LogIndex++ })
	lie("block", func(m *messages.Message) { m.Identifier.BlockNumber-- })
	lie("timestamp", func(m *messages.Message) { m.Identifier.Timestamp-- })

	init, window := m.Identifier.Timestamp, w.Window
	chain := usual.chain
	at("on its own chain", descriptor{chain: w.chainOf(m), timestamp: w.Now, left: 60})
	at("executed a second later", descriptor{chain: chain, timestamp: init + 1})
	at("executed at once", descriptor{chain: chain, timestamp: init})
	at("executed before", descriptor{chain: chain, timestamp: init - 1})
	at("executed at 0", descriptor{chain: chain, timestamp: 0})
	at("just in time", descriptor{chain: chain, timestamp: init + window})
	at("a second too late", descriptor{chain: chain, timestamp: init + window + 1})
	at("in time with its timeout", descriptor{chain: chain, timestamp: init + 1, left: window - 1})
	at("too late with its timeout", descriptor{chain: chain, timestamp: init + 1, left: window})
	at("a timeout beyond all time", descriptor{chain: chain, timestamp: init + 1, left: math.MaxUint64})
	at("executed at the end of time", descriptor{chain: chain, timestamp: math.MaxUint64})
	at(famStranger, descriptor{chain: noSuchChain, timestamp: w.Now, left: 60})
	at(famChainZero, descriptor{chain: 0, timestamp: w.Now, left: 60})

	future := good
	future.BlockNumber, future.Timestamp = future.BlockNumber+never, future.Timestamp+never
	cases = w.add(cases, famFuture, future, descriptor{chain: chain, timestamp: future.Timestamp + 1})
	for _, level := range levels {
		for _, times := range []int{2, 50} {
			list := make([]messages.Access, times)
			for i := range list {
				list[i] = good
			}
			cases = append(cases, Case{"the same again and again", params(entries(list...), level, usual.json())})
		}
	}
	return cases
}

func (w *World) chainOf(m messages.Message) uint64 {
	chain, _ := m.Identifier.ChainID.Uint64()
	return chain
}

// strangers are chain ids of no member; some are a member's in their lower 64 bits.
func (w *World) strangers() []eth.ChainID {
	wide := new(big.Int).Lsh(big.NewInt(1), 64)
	wide.Add(wide, new(big.Int).SetUint64(w.Members[0]))
	all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	return []eth.ChainID{
		eth.ChainIDFromUInt64(noSuchChain), eth.ChainIDFromUInt64(0), eth.ChainIDFromBig(wide), eth.ChainIDFromBig(all),
	}
}

// malformed are lists that cannot be read, and levels that are none.
func (w *World) malformed(m messages.Message) []Case {
	good, usual := entries(m.Access()), w.usual(m).json()
	lookup, checksum := good[0], good[1]
	changed := func(word common.Hash, place int, to byte) common.Hash { word[place] = to; return word }
	wide := m.Access()
	wide.ChainID = w.strangers()[2]
	extended := entries(wide)
	lists := [][]common.Hash{
		{lookup}, {checksum}, {checksum, lookup}, {lookup, lookup}, {lookup, checksum, lookup},
		{changed(lookup, 1, 1), checksum}, {changed(lookup, 3, 1), checksum}, {changed(lookup, 0, 0), checksum},
		{changed(lookup, 0, 4), checksum}, {lookup, changed(checksum, 0, 4)}, {lookup, {}, checksum}, {{}},
		{extended[0], extended[1]}, {extended[0], extended[1], extended[1], extended[2]}, {extended[1], extended[0], extended[2]},
		{extended[0], changed(extended[1], 4, 1), extended[2]}, {common.MaxHash, common.MaxHash},
	}
	var cases []Case
	for _, list := range lists {
		cases = append(cases, Case{"a list that cannot be read", params(list, "unsafe", usual)})
	}
	for _, level := range []string{
		"", "Unsafe", "UNSAFE", "crossunsafe", "cross_unsafe", "crossUnsafe", "local-unsafe", "latest", "pending", "0x1", "null", " unsafe",
		"local-safe", "safe", "finalized", "invalid",
	} {
		cases = append(cases, Case{"another level", params(good, level, usual)})
	}
	raw := func(family, list string) {
		cases = append(cases, Case{family, fmt.Appendf(nil, `[%s,"unsafe",%s]`, list, usual)})
	}
	const bad = "entries that are no words"
	for _, list := range []string{
		`{}`, `""`, `1`, `[1]`, `[null]`, `[["` + lookup.Hex() + `"]]`, `["` + lookup.Hex()[:65] + `"]`, `["` + lookup.Hex() + `00"]`,
		`["0xzz` + lookup.Hex()[4:] + `"]`, `["0x"]`, `[""]`,
	} {
		raw(bad, list)
	}
	raw("nothing", `[]`)
	raw("nothing", `null`)
	upper := func(word common.Hash) string { return `"0x` + strings.ToUpper(word.Hex()[2:]) + `"` }
	raw("words in upper case", `[`+upper(lookup)+`,`+upper(checksum)+`]`)
	cases = append(cases, Case{"too few parameters", fmt.Appendf(nil, `[]`)},
		Case{"too few parameters", fmt.Appendf(nil, `[[]]`)}, Case{"too few parameters", fmt.Appendf(nil, `[[],"unsafe"]`)})
	return cases
}

// spelt are the same questions in other spellings.
func (w *World) spelt(m messages.Message) []Case {
	good, usual := entries(m.Access()), w.usual(m)
	var cases []Case
	in := func(family, descriptor string) {
		cases = append(cases, Case{family, params(good, "unsafe", descriptor)})
	}
	chain, at := usual.chain, usual.timestamp

	in("no executing chain", fmt.Sprintf(`{"timestamp":"%#x"}`, at))
	in("no executing chain", fmt.Sprintf(`{"timestamp":"%#x","chain_id":"%d"}`, at, chain))
	in(famNoDescriptor, `null`)
	in(famNoDescriptor, `{}`)
	in(famNoTime, fmt.Sprintf(`{"chainID":"%d"}`, chain))
	for _, text := range []string{
		`{"chainID":%[1]d,"timestamp":"%#[2]x"}`, `{"chainID":"%[1]d","timestamp":%[2]d}`, `{"chainID":"%[1]d","timestamp":"%[2]d"}`,
		`{"chainID":"%[1]d","timestamp":"0x0%[2]x"}`, `{"chainID":"%[1]d","timestamp":"%#[2]x","timeout":5}`,
	} {
		in(famLenient, fmt.Sprintf(text, chain, at))
	}
	bare := func(word common.Hash) string { return `"` + word.Hex()[2:] + `"` }
	usualText := usual.json()
	cases = append(cases,
		Case{famLenient, fmt.Appendf(nil, `[[%s,%s],"unsafe",%s]`, bare(good[0]), bare(good[1]), usualText)},
		Case{famLenient, fmt.Appendf(nil, `[["%s","%s"],"unsafe",%s,4]`, good[0], good[1], usualText)},
		Case{famLenient, fmt.Appendf(nil, `{"entries":["%s","%s"],"min_safety":"unsafe","descriptor":%s}`, good[0], good[1], usualText)},
	)
	in("chain id in hex", fmt.Sprintf(`{"chainID":"%#x","timestamp":"%#x"}`, chain, at))
	in(famGoSpelling, fmt.Sprintf(`{"chainID":"%d","timestamp":"0X%x"}`, chain, at))
	in(famGoSpelling, fmt.Sprintf(`{"CHAINID":"%d","TIMESTAMP":"%#x"}`, chain, at))
	in(famGoSpelling, fmt.Sprintf(`{"chainID":"%d","chainID":"%d","timestamp":"%#x"}`, chain, chain, at))
	for _, wrong := range []string{
		`[]`, `"x"`, `{"chainID":"-1","timestamp":"0x1"}`, `{"chainID":"x","timestamp":"0x1"}`, `{"chainID":"","timestamp":"0x1"}`,
		`{"chainID":"901","timestamp":"-1"}`, `{"chainID":"901","timestamp":"0x10000000000000000"}`, `{"chainID":"901","timestamp":1.5}`,
	} {
		in("a descriptor that cannot be read", wrong)
	}
	return cases
}

// Random is a list of one to four messages with up to three changes, at a random time.
func (w *World) Random(random *rand.Rand) Case {
	list := make([]messages.Access, 1+random.IntN(4))
	for i := range list {
		list[i] = w.Messages[random.IntN(len(w.Messages))].Access()
	}
	d := descriptor{chain: w.Members[random.IntN(len(w.Members))], timestamp: w.Now, left: 60}
	for range random.IntN(4) {
		access := &list[random.IntN(len(list))]
		small := uint64(1 + random.IntN(4))
		switch random.IntN(9) {
		case 0:
			access.BlockNumber += small
		case 1:
			access.BlockNumber -= small
		case 2:
			access.Timestamp -= small
		case 3:
			access.LogIndex += uint32(small)
		case 4:
			access.Checksum[1+random.IntN(31)] ^= 1 << random.IntN(8)
		case 5:
			access.ChainID = eth.ChainIDFromUInt64(w.Members[random.IntN(len(w.Members))])
		case 6:
			access.ChainID = w.strangers()[random.IntN(4)]
		case 7:
			d.timestamp = access.Timestamp + uint64(random.IntN(int(2*w.Window)))
		case 8:
			d.left = uint64(random.IntN(int(2 * w.Window)))
		}
	}
	level := levels[random.IntN(len(levels))]
	return Case{Family: famRandom, Params: params(entries(list...), level, d.json())}
}

// List asks about messages as they are, at a level: they are executed by a chain of the set, at a time.
func (w *World) List(level string, at uint64, list ...messages.Message) json.RawMessage {
	var all []messages.Access
	for i := range list {
		all = append(all, list[i].Access())
	}
	usual := w.usual(list[0])
	return params(entries(all...), level, descriptor{chain: usual.chain, timestamp: at}.json())
}
