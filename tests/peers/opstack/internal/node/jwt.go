package node

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// JWT is the secret between execution clients and rollup nodes, in memory and in a file.
type JWT struct {
	Secret [32]byte
	Path   string
}

// NewJWT makes a secret, and writes its file.
func NewJWT(dir string) (*JWT, error) {
	jwt := &JWT{Path: filepath.Join(dir, "jwt")}
	if _, err := rand.Read(jwt.Secret[:]); err != nil {
		return nil, fmt.Errorf("cannot make a secret: %w", err)
	}
	if err := os.WriteFile(jwt.Path, []byte(hexutil.Encode(jwt.Secret[:])), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write the secret's file: %w", err)
	}
	return jwt, nil
}
