package main

import (
	"context"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/concurrency"
)

// A lease outlives its time while it is kept alive, and takes its keys along when it ends.
func leases(ctx context.Context, client *clientv3.Client) error {
	const seconds = 2
	granted, err := client.Grant(ctx, seconds)
	if err != nil {
		return err
	}
	put, err := client.Put(ctx, "leases/kept", "here", clientv3.WithLease(granted.ID))
	if err != nil {
		return err
	}
	keeping, stop := context.WithCancel(ctx)
	defer stop()
	kept, err := client.KeepAlive(keeping, granted.ID)
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < 2*seconds*time.Second; {
		answer, isOpen := <-kept
		if err := check(isOpen && answer.TTL == seconds, "it is kept alive: %v", answer); err != nil {
			return err
		}
	}
	there, err := client.Get(ctx, "leases/kept")
	if err != nil {
		return err
	}
	left, err := client.TimeToLive(ctx, granted.ID, clientv3.WithAttachedKeys())
	if err != nil {
		return err
	}
	all, err := client.Leases(ctx)
	if err != nil {
		return err
	}
	stop()
	if err := firstOf(
		check(len(there.Kvs) == 1 && there.Kvs[0].Lease == int64(granted.ID), "the key is there: %v", there),
		check(left.GrantedTTL == seconds && len(left.Keys) == 1, "it has the time and the key: %v", left),
		check(len(all.Leases) >= 1, "it is listed: %v", all),
		gone(ctx, client, put.Header.Revision+1),
	); err != nil {
		return err
	}
	return revoked(ctx, client)
}

// Waits for the key to end with its lease.
func gone(ctx context.Context, client *clientv3.Client, from int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for change := range client.Watch(ctx, "leases/kept", clientv3.WithRev(from)) {
		if err := change.Err(); err != nil {
			return err
		}
		for _, event := range change.Events {
			return check(event.Type == clientv3.EventTypeDelete, "the key ends: %v", event)
		}
	}
	return ctx.Err()
}

func revoked(ctx context.Context, client *clientv3.Client) error {
	held, err := concurrency.NewSession(client, concurrency.WithTTL(sessionSeconds))
	if err != nil {
		return err
	}
	if _, err := client.Put(ctx, "leases/revoked", "here", clientv3.WithLease(held.Lease())); err != nil {
		return err
	}
	if _, err := client.Revoke(ctx, held.Lease()); err != nil {
		return err
	}
	found, err := client.Get(ctx, "leases/revoked")
	if err != nil {
		return err
	}
	over, err := client.TimeToLive(ctx, held.Lease())
	if err != nil {
		return err
	}
	return firstOf(
		check(len(found.Kvs) == 0, "the key went with its lease: %v", found),
		check(over.TTL == -1, "the lease is not there: %v", over),
	)
}
