// Package control serves what can be done to a running test bed over HTTP: POST /<action> with a JSON object of
// parameters, and GET / for the list. It knows no action by itself, and decides nothing.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"sort"
	"strings"
	"time"
)

// maxBody is how long a request may be: an envelope is the longest thing that is sent.
const maxBody = 16 << 20

// Action is one thing that can be done.
type Action struct {
	Name string
	// Does says what it does, for people.
	Does string
	// parameters is an example of the parameters, shown in the list.
	parameters any
	run        func(ctx context.Context, body []byte) (any, error)
}

// New makes an action of a function. The fields of P are the parameters; fields that it does not have are refused.
func New[P any](name, does string, run func(ctx context.Context, parameters P) (any, error)) Action {
	var example P
	return Action{Name: name, Does: does, parameters: example, run: func(ctx context.Context, body []byte) (any, error) {
		var parameters P
		if len(body) > 0 {
			decoder := json.NewDecoder(strings.NewReader(string(body)))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&parameters); err != nil {
				return nil, &badRequest{fmt.Errorf("cannot read the parameters of %s: %w", name, err)}
			}
		}
		return run(ctx, parameters)
	}}
}

type badRequest struct{ error }

// Server serves actions until it is closed.
type Server struct {
	listener net.Listener
	server   *http.Server
	actions  map[string]Action
}

// Serve listens on a loopback port, a free one where port is 0.
func Serve(port int, actions []Action) (*Server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("cannot listen for control requests: %w", err)
	}
	byName := make(map[string]Action, len(actions))
	for _, action := range actions {
		byName[action.Name] = action
	}
	s := &Server{listener: listener, actions: byName}
	s.server = &http.Server{Handler: http.HandlerFunc(s.handle), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

// URL is where the server listens.
func (s *Server) URL() string {
	return "http://" + s.listener.Addr().String()
}

// Close ends the server, and what it is doing.
func (s *Server) Close() error {
	return s.server.Close()
}

func (s *Server) handle(w http.ResponseWriter, request *http.Request) {
	name := strings.Trim(request.URL.Path, "/")
	if name == "" && request.Method == http.MethodGet {
		answer(w, http.StatusOK, s.list())
		return
	}
	action, known := s.actions[name]
	switch {
	case !known:
		answer(w, http.StatusNotFound, failure(fmt.Errorf("there is no action %q; GET / lists them", name)))
	case request.Method != http.MethodPost:
		answer(w, http.StatusMethodNotAllowed, failure(fmt.Errorf("%s needs POST", name)))
	default:
		s.run(w, request, action)
	}
}

func (s *Server) run(w http.ResponseWriter, request *http.Request, action Action) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		answer(w, http.StatusBadRequest, failure(fmt.Errorf("cannot read the request: %w", err)))
		return
	}
	result, err := action.run(request.Context(), body)
	var bad *badRequest
	switch {
	case errors.As(err, &bad):
		answer(w, http.StatusBadRequest, failure(err))
	case err != nil:
		answer(w, http.StatusInternalServerError, failure(err))
	default:
		answer(w, http.StatusOK, result)
	}
}

type listed struct {
	Action     string            `json:"action"`
	Does       string            `json:"does"`
	Parameters map[string]string `json:"parameters"`
}

func (s *Server) list() []listed {
	all := make([]listed, 0, len(s.actions))
	for _, action := range s.actions {
		all = append(all, listed{Action: action.Name, Does: action.Does, Parameters: describe(action.parameters)})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Action < all[j].Action })
	return all
}

// describe names the fields of a struct as JSON has them, with their types.
func describe(parameters any) map[string]string {
	fields := map[string]string{}
	kind := reflect.TypeOf(parameters)
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field.Type.String()
	}
	return fields
}

func failure(err error) map[string]string {
	return map[string]string{"error": err.Error()}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body)
}
