package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryAnswerIsCountedByItsCode(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch asked.Add(1) % 3 {
		case 0:
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":null}`))
		case 1:
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-320600,"message":"x"}}`))
		default:
			http.Error(w, "too many", http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	figures, err := Run(context.Background(), server.URL, 4, time.Hour, 30, func(int) []byte { return Body([]byte(`[]`)) })
	require.NoError(t, err)
	require.Equal(t, map[int]int{0: 10, -320600: 10, -429: 10}, figures.Codes)
	require.Len(t, figures.Latencies, 30)
	require.Error(t, figures.AllValid())
	require.LessOrEqual(t, figures.At(0.5), figures.At(1))
}
