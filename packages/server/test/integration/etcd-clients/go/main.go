// A program that somebody wrote for etcd, with its client for Go: each scenario uses one part of it, and ends with an
// error for anything that etcd would not have answered.
//
//	clients SCENARIO ENDPOINT,... CA-FILE
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/clientv3"
)

type scenario func(ctx context.Context, client *clientv3.Client) error

var scenarios = map[string]scenario{
	"elections":     elections,
	"keys":          keys,
	"leader-change": leaderChange,
	"leases":        leases,
	"locks":         locks,
	"maintenance":   maintenance,
	"stm":           stm,
	"watches":       watches,
}

// No scenario takes so long, not even on a busy machine.
const patience = time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: clients SCENARIO ENDPOINT,... CA-FILE")
	}
	play, isKnown := scenarios[args[0]]
	if !isKnown {
		return fmt.Errorf("no scenario is called %q", args[0])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := connect(ctx, strings.Split(args[1], ","), args[2])
	if err != nil {
		return err
	}
	defer client.Close()
	return play(ctx, client)
}

func connect(ctx context.Context, endpoints []string, caFile string) (*clientv3.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return clientv3.New(clientv3.Config{
		Context:              ctx,
		Endpoints:            endpoints,
		TLS:                  &tls.Config{RootCAs: roots},
		DialTimeout:          20 * time.Second,
		DialKeepAliveTime:    2 * time.Second,
		DialKeepAliveTimeout: 2 * time.Second,
	})
}

// Together runs what is to happen at the same time, and returns the first error.
func together(count int, each func(number int) error) error {
	results := make(chan error, count)
	for number := 0; number < count; number++ {
		go func(number int) { results <- each(number) }(number)
	}
	var first error
	for number := 0; number < count; number++ {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Check fails with these words unless what they say is so.
func check(isSo bool, format string, about ...interface{}) error {
	if isSo {
		return nil
	}
	return fmt.Errorf("not so: "+format, about...)
}

// FirstOf returns the first of these that is an error.
func firstOf(results ...error) error {
	for _, err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}
