// The program verdicts answers, on standard output, what op-node makes of the gossip frames that it reads from standard input. Package
// verdicts says how to ask. It needs no network, and ends with its input.
package main

import (
	"fmt"
	"os"

	"crosscheck.dev/opstack/internal/verdicts"
)

func main() {
	if err := verdicts.Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "verdicts:", err)
		os.Exit(1)
	}
}
