//go:build !linux

package node

import "syscall"

// childAttributes put a program into a group of its own, so that a Ctrl-C on the terminal reaches only us, who then stop it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
