package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type depth struct {
	Depth int `json:"depth"`
}

func TestServer(t *testing.T) {
	server, err := Serve(0, []Action{
		New("reorganise", "reorganises L1", func(_ context.Context, p depth) (any, error) {
			if p.Depth > 10 {
				return nil, errors.New("below finality")
			}
			return map[string]int{"dropped": p.Depth}, nil
		}),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })

	rows := []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"done", "POST", "/reorganise", `{"depth":3}`, 200, `"dropped": 3`},
		{"no parameters", "POST", "/reorganise", ``, 200, `"dropped": 0`},
		{"failed", "POST", "/reorganise", `{"depth":11}`, 500, "below finality"},
		{"a parameter that is not there", "POST", "/reorganise", `{"deep":3}`, 400, "deep"},
		{"no such action", "POST", "/nothing", ``, 404, "no action"},
		{"not a POST", "GET", "/reorganise", ``, 405, "needs POST"},
		{"the list", "GET", "/", ``, 200, `"depth": "int"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			request, err := http.NewRequest(row.method, server.URL()+row.path, strings.NewReader(row.body))
			require.NoError(t, err)
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, row.status, response.StatusCode, string(body))
			require.Contains(t, string(body), row.answer)
		})
	}
}
