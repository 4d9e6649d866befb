// Package registry reads what the published modules say of the public networks: the superchain registry's chains, from the
// archive that one of them brings along, and the bootnodes of op-node. It asks no network.
package registry

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum/go-ethereum/common"
)

// Table is what the modules say.
type Table struct {
	// Source names the modules.
	Source string `json:"source"`
	// Commit is the registry's commit that the archive was made of.
	Commit string `json:"commit"`
	// Bootnodes are op-node's, for all chains.
	Bootnodes []string `json:"bootnodes"`
	Chains    []Chain  `json:"chains"`
}

// Chain is one chain of the registry. Times are seconds since 1970.
type Chain struct {
	Name             string         `json:"name"`
	Superchain       string         `json:"superchain"`
	ChainID          uint64         `json:"chain_id"`
	L1ChainID        uint64         `json:"l1_chain_id"`
	DataAvailability string         `json:"data_availability"`
	BlockTime        uint64         `json:"block_time"`
	SystemConfig     common.Address `json:"system_config"`
	BatchInbox       common.Address `json:"batch_inbox"`
	Genesis          Genesis        `json:"genesis"`
	// Forks are those that have a time, by name.
	Forks                  map[string]uint64 `json:"forks"`
	KeepKarstUpgradeGas    bool              `json:"keep_karst_upgrade_gas"`
	PectraBlobScheduleTime *uint64           `json:"pectra_blob_schedule_time"`
	// Dependencies are the chains of its dependency set. Empty: itself alone.
	Dependencies []uint64 `json:"dependencies"`
}

// Genesis is where a chain begins.
type Genesis struct {
	Time uint64  `json:"time" toml:"l2_time"`
	L1   BlockID `json:"l1" toml:"l1"`
	L2   BlockID `json:"l2" toml:"l2"`
}

// BlockID names a block.
type BlockID struct {
	Number uint64      `json:"number" toml:"number"`
	Hash   common.Hash `json:"hash" toml:"hash"`
}

// source is what the table is read from.
const source = "github.com/ethereum-optimism/optimism v1.19.6 (4 Sep 2026), with the archive of " +
	"github.com/ethereum-optimism/op-geth v1.101702.3"

// configs are the files of the archive that are read.
const configs = "configs/*/*.toml"

// Read reads the table, from the archive at a path.
func Read(archive string) (*Table, error) {
	files, err := zip.OpenReader(archive)
	if err != nil {
		return nil, fmt.Errorf("cannot open the registry's archive: %w", err)
	}
	defer func() { _ = files.Close() }()
	commit, err := fs.ReadFile(files, "COMMIT")
	if err != nil {
		return nil, fmt.Errorf("cannot read the registry's commit: %w", err)
	}
	table := &Table{Source: source, Commit: strings.TrimSpace(string(commit)), Bootnodes: p2p.DefaultBootnodes}
	names, err := fs.Glob(files, configs)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if path.Base(name) == "superchain.toml" {
			continue
		}
		chain, err := read(files, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		table.Chains = append(table.Chains, *chain)
	}
	slices.SortFunc(table.Chains, func(a, b Chain) int { return cmp.Compare(a.ChainID, b.ChainID) })
	return table, nil
}

// file is a chain's file in the registry, as far as it is of use.
type file struct {
	ChainID          uint64         `toml:"chain_id"`
	DataAvailability string         `toml:"data_availability_type"`
	BlockTime        uint64         `toml:"block_time"`
	BatchInbox       common.Address `toml:"batch_inbox_addr"`
	Hardforks        map[string]any `toml:"hardforks"`
	Genesis          Genesis        `toml:"genesis"`
	Addresses        struct {
		SystemConfig common.Address `toml:"SystemConfigProxy"`
	} `toml:"addresses"`
	Interop struct {
		Dependencies map[string]any `toml:"dependencies"`
	} `toml:"interop"`
}

func read(files fs.FS, name string) (*Chain, error) {
	var chain file
	if _, err := toml.DecodeFS(files, name, &chain); err != nil {
		return nil, err
	}
	var above struct {
		L1 struct {
			ChainID uint64 `toml:"chain_id"`
		} `toml:"l1"`
	}
	if _, err := toml.DecodeFS(files, path.Join(path.Dir(name), "superchain.toml"), &above); err != nil {
		return nil, err
	}
	row := &Chain{
		Name: strings.TrimSuffix(path.Base(name), ".toml"), Superchain: path.Base(path.Dir(name)), ChainID: chain.ChainID,
		L1ChainID: above.L1.ChainID, DataAvailability: chain.DataAvailability, BlockTime: chain.BlockTime,
		SystemConfig: chain.Addresses.SystemConfig, BatchInbox: chain.BatchInbox, Genesis: chain.Genesis,
		Forks: map[string]uint64{}, Dependencies: []uint64{},
	}
	if err := row.readForks(chain.Hardforks); err != nil {
		return nil, err
	}
	for text := range chain.Interop.Dependencies {
		member, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("its dependency set: %w", err)
		}
		row.Dependencies = append(row.Dependencies, member)
	}
	slices.Sort(row.Dependencies)
	return row, nil
}

// readForks takes every time, and what else is said of forks. A key that is not known is an error.
func (c *Chain) readForks(hardforks map[string]any) error {
	for key, value := range hardforks {
		name, isTime := strings.CutSuffix(key, "_time")
		time, isNumber := value.(int64)
		flag, isFlag := value.(bool)
		switch {
		case key == "keep_karst_upgrade_gas" && isFlag:
			c.KeepKarstUpgradeGas = flag
		case key == "pectra_blob_schedule_time" && isNumber:
			until := uint64(time)
			c.PectraBlobScheduleTime = &until
		case isTime && isNumber:
			c.Forks[name] = uint64(time)
		default:
			return fmt.Errorf("hardforks.%s is not known, or not %v", key, value)
		}
	}
	return nil
}
