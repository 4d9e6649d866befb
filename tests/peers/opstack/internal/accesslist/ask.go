// Package accesslist asks two servers about the same access lists, and holds their answers against each other. It knows what they are
// known to answer differently, and never makes anything else of a difference.
package accesslist

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Method is what is asked.
const Method = "interop_checkAccessList"

// Valid is the code of an answer that refuses nothing.
const Valid = 0

// Case is one question.
type Case struct {
	// Family is the kind of question: what is wrong with it, if anything is.
	Family string
	// Params are the parameters as they are sent.
	Params json.RawMessage
}

// Answer is what a server said.
type Answer struct {
	// Code is the JSON-RPC code, or Valid.
	Code    int
	Message string
}

// String shows an answer.
func (a Answer) String() string {
	if a.Code == Valid {
		return "valid"
	}
	return fmt.Sprintf("%d (%s)", a.Code, a.Message)
}

// Asker asks one server.
type Asker struct {
	URL string

	client http.Client
}

// askTimeout is how long one question may take.
const askTimeout = 30 * time.Second

// maxAnswer is how long an answer may be.
const maxAnswer = 1 << 20

// Ask asks one question.
func (a *Asker) Ask(ctx context.Context, params json.RawMessage) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	body := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, Method, params)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("cannot ask %s: %w", a.URL, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("cannot ask %s: %w", a.URL, err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("cannot read the answer of %s: %w", a.URL, err)
	}
	var answer struct {
		Error *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(read, &answer); err != nil {
		return Answer{}, fmt.Errorf("%s answers %s to %.300s: %.200s", a.URL, response.Status, params, read)
	}
	if answer.Error == nil {
		return Answer{Code: Valid}, nil
	}
	return Answer{Code: answer.Error.Code, Message: answer.Error.Message}, nil
}
