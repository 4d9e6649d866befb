package proxy

import "encoding/json"

// maxMethods bounds how many methods are counted apart.
const maxMethods = 200

// methods are the methods of a request or of a batch. A text that is neither has none.
func methods(text []byte) []string {
	type call struct {
		Method string `json:"method"`
	}
	var calls []call
	if json.Unmarshal(text, &calls) != nil {
		var one call
		if json.Unmarshal(text, &one) != nil {
			return nil
		}
		calls = []call{one}
	}
	var names []string
	for _, call := range calls {
		if call.Method != "" {
			names = append(names, call.Method)
		}
	}
	return names
}

// note counts a request, and says what becomes of it.
func (p *Proxy) note(text []byte) Fault {
	names := methods(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if _, known := p.counts[name]; known || len(p.counts) < maxMethods {
			p.counts[name]++
		}
	}
	return p.fault
}
