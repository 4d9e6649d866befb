package main

import (
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"crosscheck.dev/opstack/internal/registry"
)

func registryCommand() *cli.Command {
	return &cli.Command{
		Name:      "registry",
		Usage:     "prints what the published modules say of the public networks, as JSON",
		ArgsUsage: "ARCHIVE",
		Action: func(c *cli.Context) error {
			table, err := registry.Read(c.Args().First())
			if err != nil {
				return err
			}
			text, err := json.MarshalIndent(table, "", "  ")
			if err != nil {
				return err
			}
			fmt.Println(string(text))
			return nil
		},
	}
}
