package proxy

import (
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
