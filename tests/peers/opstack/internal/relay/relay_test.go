package relay

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func behind(t *testing.T, answer string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	t.Cleanup(server.Close)
	return server
}

func ask(t *testing.T, url string) (string, time.Duration, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	began := time.Now()
	response, err := client.Get(url)
	if err != nil {
		return "", time.Since(began), err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body), time.Since(began), nil
}

func start(t *testing.T) *Relay {
	relay, err := New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = relay.Close() })
	return relay
}

func TestTheAddressStaysWhileWhatStandsBehindComesAndGoes(t *testing.T) {
	relay := start(t)
	_, _, err := ask(t, relay.URL())
	require.Error(t, err, "nothing stands behind it yet")
	require.NoError(t, relay.Open(behind(t, "one").URL))
	body, _, err := ask(t, relay.URL())
	require.NoError(t, err)
	require.Equal(t, "one", body)
	relay.Shut()
	_, _, err = ask(t, relay.URL())
	require.Error(t, err)
	require.NoError(t, relay.Open(strings.TrimPrefix(behind(t, "two").URL, "http://")))
	body, _, err = ask(t, relay.URL())
	require.NoError(t, err)
	require.Equal(t, "two", body)
}

func TestWhatIsSlowComesLaterAndWhole(t *testing.T) {
	relay := start(t)
	long := strings.Repeat("0123456789", 100_000)
	require.NoError(t, relay.Open(behind(t, long).URL))
	const delay = 200 * time.Millisecond
	relay.Slow(delay)
	body, took, err := ask(t, relay.URL())
	require.NoError(t, err)
	require.Equal(t, long, body)
	require.GreaterOrEqual(t, took, 2*delay, "there and back")
	relay.Slow(0)
	body, _, err = ask(t, relay.URL())
	require.NoError(t, err)
	require.Equal(t, long, body)
}

func TestAURLLeadsThroughTheRelay(t *testing.T) {
	relay := start(t)
	through, err := relay.Of("http://127.0.0.1:1/901/")
	require.NoError(t, err)
	require.Equal(t, relay.URL()+"/901/", through)
	require.Error(t, relay.Open(""))
}
