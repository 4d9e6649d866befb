package sidecar

import (
	"context"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// What became of a suspect.
const (
	SuspectPending     = "pending"
	SuspectExecuted    = "executed"
	SuspectNotExecuted = "not-executed"
	SuspectDropped     = "dropped"
)

// Suspect is a gossiped transaction that declares a message which breaks a rule.
type Suspect struct {
	BlockKey
	ID               uint64      `json:"id"`
	TransactionHash  common.Hash `json:"transaction_hash"`
	TransactionIndex uint64      `json:"transaction_index"`
	// Access is the declared message. Nil: the access list is malformed.
	Access  *Access `json:"access"`
	Reason  string  `json:"reason"`
	Detail  string  `json:"detail"`
	Outcome string  `json:"outcome"`
}

// Access is a declared message.
type Access struct {
	ChainID     uint64      `json:"chain_id"`
	BlockNumber uint64      `json:"block_number"`
	Timestamp   uint64      `json:"timestamp"`
	LogIndex    uint64      `json:"log_index"`
	Checksum    common.Hash `json:"checksum"`
}

// Suspects are those noted since the program's start, oldest first. Chain zero: of all chains.
func (c *Client) Suspects(ctx context.Context, chain uint64) ([]Suspect, error) {
	var all []Suspect
	err := eachPage(0, func(after uint64) (*uint64, error) {
		var answer struct {
			Suspects []Suspect
			Next     *uint64
		}
		err := c.Call(ctx, &answer, "crosscheck_suspects", page(chain, after))
		all = append(all, answer.Suspects...)
		return answer.Next, err
	})
	return all, err
}

// Refusal is a gossip frame that crosscheck did not accept.
type Refusal struct {
	ID      uint64 `json:"id"`
	ChainID uint64 `json:"chain_id"`
	Topic   string `json:"topic"`
	// Verdict is ignore or reject.
	Verdict     string          `json:"verdict"`
	Reason      string          `json:"reason"`
	Detail      string          `json:"detail"`
	PayloadHash *common.Hash    `json:"payload_hash"`
	Signer      *common.Address `json:"signer"`
}

// Refusals are those noted since the program's start, oldest first. Chain zero: of all chains.
func (c *Client) Refusals(ctx context.Context, chain uint64) ([]Refusal, error) {
	var all []Refusal
	err := eachPage(0, func(after uint64) (*uint64, error) {
		var answer struct {
			Refusals []Refusal
			Next     *uint64
		}
		err := c.Call(ctx, &answer, "crosscheck_refusals", page(chain, after))
		all = append(all, answer.Refusals...)
		return answer.Next, err
	})
	return all, err
}

// Peer is a peer as opp2p_peers tells of it, and for Self the program itself.
type Peer struct {
	ID           string   `json:"peerID"`
	UserAgent    string   `json:"userAgent"`
	Addresses    []string `json:"addresses"`
	Protected    bool     `json:"protected"`
	GossipBlocks bool     `json:"gossipBlocks"`
	// Connectedness is 1 for a connected peer. Direction is 1 for inbound, 2 for outbound.
	Connectedness int `json:"connectedness"`
	Direction     int `json:"direction"`
	Scores        struct {
		Gossip struct {
			Total              float64 `json:"total"`
			BehavioralPenalty  float64 `json:"behavioralPenalty"`
			IPColocationFactor float64 `json:"IPColocationFactor"`
		} `json:"gossip"`
		ReqResp struct {
			ValidResponses   float64 `json:"validResponses"`
			ErrorResponses   float64 `json:"errorResponses"`
			RejectedPayloads float64 `json:"rejectedPayloads"`
		} `json:"reqResp"`
	} `json:"scores"`
}

// Peers are whom the gossip of a chain knows.
type Peers struct {
	TotalConnected int             `json:"totalConnected"`
	Peers          map[string]Peer `json:"peers"`
	BannedPeers    []string        `json:"bannedPeers"`
}

// Peers are the connected peers of a chain's gossip.
func (c *Client) Peers(ctx context.Context, chain uint64) (*Peers, error) {
	var peers Peers
	return &peers, c.Call(ctx, &peers, "opp2p_peers", true, chain)
}

// PeersAt are the connected peers of a node that is no crosscheck, such as an op-node: how it scores crosscheck.
func (c *Client) PeersAt(ctx context.Context, url string) (*Peers, error) {
	var peers Peers
	return &peers, c.call(ctx, url, &peers, "opp2p_peers", true)
}

// Self is crosscheck as others see it in a chain's gossip.
func (c *Client) Self(ctx context.Context, chain uint64) (*Peer, error) {
	var self Peer
	return &self, c.Call(ctx, &self, "opp2p_self", chain)
}

// Multiaddr is where others dial crosscheck in a chain's gossip, with its peer id.
func (c *Client) Multiaddr(ctx context.Context, chain uint64) (string, error) {
	self, err := c.Self(ctx, chain)
	if err != nil {
		return "", err
	}
	if len(self.Addresses) == 0 {
		return "", fmt.Errorf("crosscheck does not listen for the gossip of chain %d", chain)
	}
	return withID(self.Addresses[0], self.ID), nil
}

func withID(address, id string) string {
	if suffix := "/p2p/" + id; !strings.HasSuffix(address, suffix) {
		return address + suffix
	}
	return address
}
