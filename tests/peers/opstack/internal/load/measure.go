// Package load asks a server about access lists as fast as it answers, and says how fast that was. What it measures on a busy machine
// is good for ratios only: whoever wants those asks one server after the other, again and again.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"crosscheck.dev/opstack/internal/accesslist"
)

// Figures are what one measurement found.
type Figures struct {
	// Elapsed is how long it took.
	Elapsed time.Duration
	// Codes are the answers by code: 0 is valid. Answers without a JSON-RPC body have their HTTP status, negative.
	Codes map[int]int
	// Latencies are sorted.
	Latencies []time.Duration
}

// Rate is how many requests a second were answered.
func (f *Figures) Rate() float64 { return float64(len(f.Latencies)) / f.Elapsed.Seconds() }

// At is the latency that a share of requests stayed within.
func (f *Figures) At(share float64) time.Duration {
	if len(f.Latencies) == 0 {
		return 0
	}
	return f.Latencies[min(int(share*float64(len(f.Latencies))), len(f.Latencies)-1)]
}

// AllValid says what was answered but "valid".
func (f *Figures) AllValid() error {
	if f.Codes[accesslist.Valid] != len(f.Latencies) {
		return fmt.Errorf("answers by code: %v", f.Codes)
	}
	return nil
}

// maxAnswer is how long an answer may be.
const maxAnswer = 1 << 20

// Client keeps so many connections open.
func Client(connections int) *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
}

// Body is the call that asks about a list.
func Body(params json.RawMessage) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, accesslist.Method, params)
}

// Ask asks once, and gives the code of the answer.
func Ask(ctx context.Context, client *http.Client, url string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("cannot ask %s: %w", url, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("cannot ask %s: %w", url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("cannot read the answer of %s: %w", url, err)
	}
	var answer struct{ Error *struct{ Code int } }
	if json.Unmarshal(text, &answer) != nil {
		return -response.StatusCode, nil
	}
	if answer.Error == nil {
		return accesslist.Valid, nil
	}
	return answer.Error.Code, nil
}

// Run asks over so many connections at once, each as soon as it is answered, until the time is over or `most` questions are asked
// (0: no bound). The n-th question of all is what `question` gives for n.
func Run(ctx context.Context, url string, connections int, lasts time.Duration, most int, question func(n int) []byte) (*Figures, error) {
	client := Client(connections)
	defer client.CloseIdleConnections()
	figures := &Figures{Codes: map[int]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failure error
	asked, began := 0, time.Now()
	next := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if failure != nil || time.Since(began) >= lasts || most > 0 && asked >= most {
			return 0, false
		}
		asked++
		return asked - 1, true
	}
	for range connections {
		group.Go(func() {
			for n, more := next(); more; n, more = next() {
				start := time.Now()
				code, err := Ask(ctx, client, url, question(n))
				took := time.Since(start)
				mu.Lock()
				failure = errors.Join(failure, err)
				figures.Codes[code]++
				figures.Latencies = append(figures.Latencies, took)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	figures.Elapsed = time.Since(began)
	slices.Sort(figures.Latencies)
	return figures, failure
}
