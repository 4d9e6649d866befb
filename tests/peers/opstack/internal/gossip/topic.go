package gossip

import "fmt"

// Topic is a gossip topic of a chain, by the name that Crosscheck gives it.
type Topic string

const (
	// BlocksV1 to BlocksV4 carry the sequencer's unsafe blocks. Each fork that changed the layout began a new one.
	BlocksV1 Topic = "blocksv1"
	BlocksV2 Topic = "blocksv2"
	BlocksV3 Topic = "blocksv3"
	BlocksV4 Topic = "blocksv4"
	// CrossSafe carries attestations that a block is cross-safe, in the layout of BlocksV4.
	CrossSafe Topic = "cross-safe-blocksv1"
)

// Topics are all topics that a host may join.
func Topics() []Topic { return []Topic{BlocksV1, BlocksV2, BlocksV3, BlocksV4, CrossSafe} }

// Path is the topic's string on the wire, for one chain.
func (t Topic) Path(chainID uint64) (string, error) {
	place, known := map[Topic]string{
		BlocksV1:  "0/blocks",
		BlocksV2:  "1/blocks",
		BlocksV3:  "2/blocks",
		BlocksV4:  "3/blocks",
		CrossSafe: "0/cross-safe-blocks",
	}[t]
	if !known {
		return "", fmt.Errorf("%q is no topic", string(t))
	}
	return fmt.Sprintf("/optimism/%d/%s", chainID, place), nil
}
