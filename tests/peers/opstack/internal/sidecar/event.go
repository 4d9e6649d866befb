package sidecar

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// The lines of crosscheck's log that tests care for, by their message.
const (
	LineRuns            = "crosscheck started"
	LineEnded           = "crosscheck stopped"
	LineVerdict         = "verdict"
	LineViolated        = "sequencer attested an invalid block"
	LineDiscarded       = "sequencer attested a block that does not match L1"
	LineSuspect         = "gossiped transaction declares an invalid message"
	LineSuspectExecuted = "suspect was executed"
	LineInvalid         = "invalid executing message included"
	LineFlipInvalid     = "valid executing message became invalid"
	LineFlipValid       = "invalid executing message became valid"
	LineFailure         = "consensus failure: invalid message in a cross-safe block; CRITICAL"
	LineFailureFinal    = "consensus failure: invalid message in a finalized block"
	LineMessageEnded    = "message's block was removed"
	LineReorg           = "reorg"
	LineHeld            = "served head is held by an invalid block; it moves after a valid replacement or `crosscheck resolve`"
	LineServed          = "served head is current"
	LineNothingNew      = "served head is stale"
	LineSigner          = "unsafe block signer"
	LineAuditBegins     = "audit starts after this block"
)

// Event is a line of crosscheck's log.
type Event struct {
	// ID counts the events of a process, from 1, over all its starts.
	ID uint64
	// Start says which start of the program wrote it, from 1.
	Start int
	// Time is when crosscheck wrote it, or when it was read if it says none.
	Time time.Time
	// Level is in capitals: ERROR, WARN, INFO and so on. Empty: the line is no JSON, such as a panic.
	Level   string
	Target  string
	Message string
	// Fields are all other fields, as sent. Lines about messages have a safety level there, as "level".
	Fields map[string]json.RawMessage
}

// parseEvent reads a line. What is no JSON object becomes the message of an event without a level.
func parseEvent(line string, now time.Time) Event {
	event := Event{Time: now, Message: line}
	own, fields, ok := splitFields(line)
	if !ok {
		return event
	}
	event.Fields = fields
	event.Level, event.Target, event.Message = plain(own["level"]), plain(own["target"]), plain(own["message"])
	if at, err := time.Parse(time.RFC3339Nano, plain(own["timestamp"])); err == nil {
		event.Time = at
	}
	return event
}

// splitFields tells the line's own fields from those of the event, which stand in one object and may have the same
// names: lines about messages have a second "level", the safety level. The line's own come first.
func splitFields(line string) (own, fields map[string]json.RawMessage, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(line))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, nil, false
	}
	own, fields = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for decoder.More() {
		key, err := decoder.Token()
		name, isText := key.(string)
		var value json.RawMessage
		if err != nil || !isText || decoder.Decode(&value) != nil {
			return nil, nil, false
		}
		if _, seen := own[name]; isOwn(name) && !seen {
			own[name] = value
		} else {
			fields[name] = value
		}
	}
	return own, fields, true
}

func isOwn(name string) bool {
	return name == "timestamp" || name == "level" || name == "target" || name == "message"
}

// Text is a field without quotes. Empty: there is no such field.
func (e *Event) Text(field string) string {
	return plain(e.Fields[field])
}

func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// Number is a field that holds a whole number, whether it was sent as a number or as a text.
func (e *Event) Number(field string) (uint64, bool) {
	number, err := strconv.ParseUint(e.Text(field), 10, 64)
	return number, err == nil
}

// Hash is a field that holds a hash. Zero: there is no such field.
func (e *Event) Hash(field string) common.Hash { return common.HexToHash(e.Text(field)) }

// Is says whether the event has this message, and is of this chain. Chain zero: of any.
func (e *Event) Is(message string, chain uint64) bool {
	if e.Message != message {
		return false
	}
	id, known := e.Number("chain_id")
	return chain == 0 || (known && id == chain)
}

// String is the event on one line, for people.
func (e *Event) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s %s", e.Time.UTC().Format("15:04:05.000"), e.Level, e.Message)
	for _, field := range []string{"chain_id", "number", "hash", "log_index", "verdict", "reason", "detail", "error"} {
		if value := e.Text(field); value != "" {
			fmt.Fprintf(&text, " %s=%s", field, value)
		}
	}
	return text.String()
}
