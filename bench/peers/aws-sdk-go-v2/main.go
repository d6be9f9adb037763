// SPDX-License-Identifier: BSL-1.0
// The measured loop over aws-sdk-go-v2: a goroutine a lane. The SDK keeps ten idle connections by
// default; here each lane may keep its own.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	warmUp int32 = iota
	measured
	over
)

type run struct {
	client     *dynamodb.Client
	table, key string
	expected   []byte
	phase      atomic.Int32
	lanes      sync.WaitGroup
	mutex      sync.Mutex // guards what follows
	latencies  []time.Duration
	errors     int
	failure    error
}

func (r *run) getOnce() error {
	answer, err := r.client.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: &r.table,
		Key:       map[string]types.AttributeValue{"key": &types.AttributeValueMemberS{Value: r.key}},
	})
	if err != nil {
		return err
	}
	value, ok := answer.Item["value"].(*types.AttributeValueMemberB)
	if !ok || !bytes.Equal(value.Value, r.expected) {
		return fmt.Errorf("another value: %v", answer.Item["value"])
	}
	return nil
}

func (r *run) lane() {
	defer r.lanes.Done()
	var latencies []time.Duration
	var failure error
	errors := 0
	for r.phase.Load() != over {
		begin := time.Now()
		err := r.getOnce()
		took := time.Since(begin)
		counts := r.phase.Load() == measured
		if err != nil {
			failure = err
			if counts {
				errors++
			}
		} else if counts {
			latencies = append(latencies, took)
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.latencies = append(r.latencies, latencies...)
	r.errors += errors
	if failure != nil {
		r.failure = failure
	}
}

func usage() (cpu time.Duration, rssBytes int64) {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), used.Maxrss * 1024
}

func version() string {
	const module = "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return "service/dynamodb " + dependency.Version + ", " + info.GoVersion
		}
	}
	return info.GoVersion
}

func inUs(value time.Duration) float64 { return float64(value) / 1e3 }

func (r *run) percentile(share float64) float64 {
	if len(r.latencies) == 0 {
		return 0
	}
	return inUs(r.latencies[min(int(float64(len(r.latencies))*share), len(r.latencies)-1)])
}

func main() {
	endpoint := flag.String("endpoint", "", "URL of the server")
	table := flag.String("table", "cache", "name of the table")
	key := flag.String("key", "1k", "key of the value to get")
	concurrency := flag.Int("concurrency", 32, "gets in flight")
	warm := flag.Float64("warmup", 1, "seconds that are not measured, before")
	seconds := flag.Float64("seconds", 10, "how long to measure")
	output := flag.String("json", "", "file for the figures")
	flag.Parse()

	transport := func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = *concurrency, *concurrency
	}
	settings, err := config.LoadDefaultConfig(context.Background(),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(transport)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	r := run{table: *table, key: *key, expected: bytes.Repeat([]byte("0123456789abcdef"), 64)}
	r.client = dynamodb.NewFromConfig(settings, func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(*endpoint)
	})
	r.lanes.Add(*concurrency)
	for range *concurrency {
		go r.lane()
	}
	time.Sleep(time.Duration(*warm * 1e9))
	r.phase.Store(measured)
	begin := time.Now()
	before, _ := usage()
	time.Sleep(time.Duration(*seconds * 1e9))
	r.phase.Store(over)
	elapsed := time.Since(begin).Seconds()
	after, rss := usage()
	r.lanes.Wait()

	sort.Slice(r.latencies, func(a, b int) bool { return r.latencies[a] < r.latencies[b] })
	ops := len(r.latencies)
	result, _ := json.Marshal(map[string]any{
		"version": version(), "ops": ops, "errors": r.errors, "seconds": elapsed,
		"ops_per_s": float64(ops) / elapsed, "cpu_us_per_op": inUs(after-before) / float64(max(ops, 1)),
		"allocations_per_op": nil,
		"latency_us": map[string]float64{"p50": r.percentile(0.5), "p90": r.percentile(0.9),
			"p99": r.percentile(0.99), "p999": r.percentile(0.999), "max": r.percentile(1)},
		"peak_rss_bytes": rss,
	})
	if err := os.WriteFile(*output, append(result, '\n'), 0o666); err != nil {
		r.failure = err
	}
	if r.failure != nil {
		fmt.Fprintln(os.Stderr, "first failure:", r.failure)
	}
	if ops == 0 || r.failure != nil {
		os.Exit(3)
	}
}
