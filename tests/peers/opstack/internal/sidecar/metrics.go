package sidecar

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Labels choose series: those that have all of them, with these values.
type Labels map[string]string

// Metrics are what /metrics answered at one time.
type Metrics map[string]*dto.MetricFamily

// Metrics reads all metrics.
func (c *Client) Metrics(ctx context.Context) (Metrics, error) {
	body, err := c.get(ctx, "/metrics", http.StatusOK)
	if err != nil {
		return nil, err
	}
	return parseMetrics(body)
}

func parseMetrics(text []byte) (Metrics, error) {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("cannot read the metrics: %w", err)
	}
	return families, nil
}

// Get is the value of the one series with these labels; of a histogram, how many observations it counts. False: there
// is no such series, or there are several.
func (m Metrics) Get(name string, labels Labels) (float64, bool) {
	series := m.series(name, labels)
	if len(series) != 1 {
		return 0, false
	}
	return valueOf(series[0]), true
}

// Sum adds up all series with these labels. Zero: there are none.
func (m Metrics) Sum(name string, labels Labels) float64 {
	var sum float64
	for _, series := range m.series(name, labels) {
		sum += valueOf(series)
	}
	return sum
}

// HistogramSum is what the observations of a histogram add up to, over all series with these labels.
func (m Metrics) HistogramSum(name string, labels Labels) float64 {
	var sum float64
	for _, series := range m.series(name, labels) {
		sum += series.GetHistogram().GetSampleSum()
	}
	return sum
}

func (m Metrics) series(name string, labels Labels) []*dto.Metric {
	var taken []*dto.Metric
	for _, series := range m[name].GetMetric() {
		if hasLabels(series, labels) {
			taken = append(taken, series)
		}
	}
	return taken
}

func hasLabels(series *dto.Metric, labels Labels) bool {
	found := 0
	for _, pair := range series.GetLabel() {
		value, wanted := labels[pair.GetName()]
		if wanted && value != pair.GetValue() {
			return false
		}
		if wanted {
			found++
		}
	}
	return found == len(labels)
}

func valueOf(series *dto.Metric) float64 {
	switch {
	case series.Counter != nil:
		return series.Counter.GetValue()
	case series.Gauge != nil:
		return series.Gauge.GetValue()
	case series.Histogram != nil:
		return float64(series.Histogram.GetSampleCount())
	default:
		return series.Untyped.GetValue()
	}
}
