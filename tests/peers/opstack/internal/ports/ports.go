// Package ports draws free ports of loopback. It opens nothing that stays open.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// lowestPort is where drawing begins: well-known programs listen below.
const lowestPort = 12_000

// drawn are the ports that this process has given away: a program that restarts must find its port free again.
var drawn = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// Free draws ports of loopback that are free, for TCP and for UDP, and that no connection is ever given by chance:
// they lie below the range from which the system takes the ports of outgoing connections. None is drawn twice.
func Free(count int) ([]int, error) {
	drawn.Lock()
	defer drawn.Unlock()
	top := ephemeralStart()
	var ports []int
	for attempt := 0; len(ports) < count; attempt++ {
		if attempt >= 100*(count+1) {
			return nil, fmt.Errorf("only %d of %d free ports found between %d and %d", len(ports), count, lowestPort, top)
		}
		port := lowestPort + rand.IntN(top-lowestPort)
		if drawn.ports[port] || !isFree(port) {
			continue
		}
		drawn.ports[port] = true
		ports = append(ports, port)
	}
	return ports, nil
}

func isFree(port int) bool {
	where := fmt.Sprintf("127.0.0.1:%d", port)
	tcp, err := net.Listen("tcp", where)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", where)
	if err != nil {
		return false
	}
	_ = udp.Close()
	return true
}

// ephemeralStart is the first port that outgoing connections may be given. Where the system does not tell, it is
// what Linux has by default, which is below what others have.
func ephemeralStart() int {
	const usual = 32_768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return usual
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return usual
	}
	first, err := strconv.Atoi(fields[0])
	if err != nil || first <= lowestPort {
		return usual
	}
	return first
}
