package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProxy(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		_, _ = w.Write([]byte(request.URL.Path + " " + string(body)))
	}))
	t.Cleanup(behind.Close)
	proxy, err := Start(behind.URL + "/901/")
	require.NoError(t, err)
	t.Cleanup(func() { _ = proxy.Close() })

	ask := func(body string) (int, string, error) {
		response, err := http.Post(proxy.URL(), "application/json", strings.NewReader(body))
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, string(text), err
	}
	const one, batch = `{"method":"a"}`, `[{"method":"a"},{"method":"b"}]`

	status, text, err := ask(one)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "/901/ "+one, text)

	_, _, err = ask(batch)
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"a": 2, "b": 1}, proxy.Counts())

	proxy.Set(TooMany())
	status, _, err = ask(one)
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, status)

	proxy.Set(Cut())
	_, _, err = ask(one)
	require.Error(t, err)

	proxy.Set(Slow(50 * time.Millisecond))
	began := time.Now()
	_, _, err = ask(one)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)

	proxy.Set(Pass())
	behind.Close()
	_, _, err = ask(one)
	require.Error(t, err, "what is gone gives no answer")
}

// A request that waits for its answer gets none when connections are cut, and what stands behind can be exchanged.
func TestCutAndExchange(t *testing.T) {
	asked := make(chan struct{}, 1)
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		asked <- struct{}{}
		<-request.Context().Done()
	}))
	t.Cleanup(stuck.Close)
	proxy, err := Start(stuck.URL)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		response, err := http.Post(proxy.URL(), "application/json", strings.NewReader(`{"method":"a"}`))
		if err == nil {
			_ = response.Body.Close()
		}
		ended <- err
	}()
	<-asked
	proxy.Set(Cut())
	require.Error(t, <-ended)

	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("other")) }))
	t.Cleanup(other.Close)
	before := proxy.URL()
	require.NoError(t, proxy.SetTarget(other.URL))
	require.Equal(t, before, proxy.URL())
	proxy.Set(Pass())
	response, err := http.Get(proxy.URL())
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "other", string(text))
	require.NoError(t, proxy.Close())
	require.Error(t, proxy.SetTarget("ftp://x"))
}

// Made-up methods fill no memory.
func TestCountsAreBounded(t *testing.T) {
	p := &Proxy{counts: map[string]uint64{}}
	for i := range 2 * maxMethods {
		p.note([]byte(fmt.Sprintf(`{"method":"%d"}`, i)))
	}
	p.note([]byte(`not JSON`))
	p.note([]byte(`[{"method":"0"},{"id":1}]`))
	require.Len(t, p.Counts(), maxMethods)
	require.EqualValues(t, 2, p.Counts()["0"])
}
