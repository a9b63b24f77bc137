package main

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/etcdserver/api/v3rpc/rpctypes"
)

// Watches from now, from the past, from what was given up, with filters and previous values, and their progress.
func watches(ctx context.Context, client *clientv3.Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin, err := client.Put(ctx, "watches/a", "0")
	if err != nil {
		return err
	}
	from := begin.Header.Revision + 1
	now := client.Watch(ctx, "watches/", clientv3.WithPrefix(), clientv3.WithPrevKV(), clientv3.WithCreatedNotify())
	if created := <-now; !created.Created {
		return fmt.Errorf("a watch begins with the word that it was created: %v", created)
	}
	deletions := client.Watch(ctx, "watches/", clientv3.WithPrefix(), clientv3.WithFilterPut(), clientv3.WithRev(from))
	for value := 1; value <= 20; value++ {
		if _, err := client.Put(ctx, "watches/a", fmt.Sprint(value)); err != nil {
			return err
		}
	}
	last, err := client.Delete(ctx, "watches/a")
	if err != nil {
		return err
	}
	then := client.Watch(ctx, "watches/", clientv3.WithPrefix(), clientv3.WithRev(from), clientv3.WithFragment())
	told, err := collect(now, from, 21)
	if err != nil {
		return err
	}
	replayed, err := collect(then, from, 21)
	if err != nil {
		return err
	}
	deleted, err := collect(deletions, from, 1)
	if err != nil {
		return err
	}
	for at, event := range told {
		if event.Kv.ModRevision != from+int64(at) || replayed[at].Kv.ModRevision != from+int64(at) {
			return fmt.Errorf("change %d is at another revision: %v, %v", at, event, replayed[at])
		}
		if want := fmt.Sprint(at); string(event.PrevKv.Value) != want {
			return fmt.Errorf("before change %d the value was %s: %v", at, want, event)
		}
	}
	if err := client.RequestProgress(ctx); err != nil {
		return err
	}
	progress := <-now
	if _, err := client.Compact(ctx, last.Header.Revision); err != nil {
		return err
	}
	late := compacted(ctx, client, from)
	return firstOf(
		check(deleted[0].Type == clientv3.EventTypeDelete, "puts are filtered: %v", deleted),
		check(progress.IsProgressNotify(), "progress is told: %v", progress),
		check(progress.Header.Revision >= last.Header.Revision, "it is that of now: %v", progress),
		check(late.Err() == rpctypes.ErrCompacted, "what was given up cannot be watched: %v", late.Err()),
		check(late.CompactRevision == last.Header.Revision, "it says what is left: %v", late),
	)
}

// What a watch of the past is told once the member that it asks has given that up, too.
func compacted(ctx context.Context, client *clientv3.Client, from int64) clientv3.WatchResponse {
	for {
		attempt, cancel := context.WithCancel(ctx)
		late := <-client.Watch(attempt, "watches/a", clientv3.WithRev(from))
		cancel()
		if late.Err() != nil || ctx.Err() != nil {
			return late
		}
	}
}

// So many changes from a revision on. The member that is asked for those from now on may be behind, and tell earlier ones.
func collect(changes clientv3.WatchChan, from int64, count int) ([]*clientv3.Event, error) {
	var events []*clientv3.Event
	for len(events) < count {
		change, isOpen := <-changes
		if err := change.Err(); err != nil || !isOpen {
			return nil, fmt.Errorf("a watch ended after %d of %d changes: %v", len(events), count, err)
		}
		for _, event := range change.Events {
			if event.Kv.ModRevision >= from {
				events = append(events, event)
			}
		}
	}
	return events, nil
}
