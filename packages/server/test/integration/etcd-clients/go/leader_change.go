package main

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/concurrency"
)

// Writes before, while and after the leader goes, which it asks for with the line "now": a watch misses nothing, a
// lease and a lock are kept.
func leaderChange(ctx context.Context, client *clientv3.Client) error {
	const before, after = 50, 100
	held, err := session(client)
	if err != nil {
		return err
	}
	defer held.Close()
	mutex := concurrency.NewMutex(held, "change/lock")
	if err := mutex.Lock(ctx); err != nil {
		return err
	}
	begin, err := client.Get(ctx, "change/begin")
	if err != nil {
		return err
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := client.Watch(clientv3.WithRequireLeader(watching), "change/key",
		clientv3.WithPrefix(), clientv3.WithRev(begin.Header.Revision+1))
	acknowledged := map[string]int64{}
	for number := 0; len(acknowledged) < before+after; number++ {
		if len(acknowledged) == before {
			fmt.Println("now")
		}
		put(ctx, client, acknowledged, number)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	end, err := client.Put(ctx, "change/key", "end")
	if err != nil {
		return err
	}
	if err := seenAll(changes, acknowledged, end.Header.Revision); err != nil {
		return err
	}
	select {
	case <-held.Done():
		return fmt.Errorf("the session has ended")
	default:
	}
	owned, err := client.Txn(ctx).If(mutex.IsOwner()).Commit()
	if err != nil {
		return err
	}
	return firstOf(check(owned.Succeeded, "the lock is held still"), mutex.Unlock(ctx))
}

// Writes a value of its own, and notes the revision if it was acknowledged; otherwise nobody knows.
func put(ctx context.Context, client *clientv3.Client, acknowledged map[string]int64, number int) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	value := fmt.Sprint(number)
	answer, err := client.Put(ctx, "change/key", value)
	if err == nil {
		acknowledged[value] = answer.Header.Revision
	}
}

// Reads a watch up to a revision: it rises, and each value that was acknowledged is there once, at its revision.
func seenAll(changes clientv3.WatchChan, acknowledged map[string]int64, end int64) error {
	seen := map[string]int64{}
	for last := int64(0); last < end; {
		change, isOpen := <-changes
		if err := change.Err(); err != nil || !isOpen {
			return fmt.Errorf("the watch ended at %d of %d: %v", last, end, err)
		}
		for _, event := range change.Events {
			if event.Kv.ModRevision <= last {
				return fmt.Errorf("revision %d is told after %d", event.Kv.ModRevision, last)
			}
			last = event.Kv.ModRevision
			seen[string(event.Kv.Value)] = last
		}
	}
	for value, revision := range acknowledged {
		if seen[value] != revision {
			return fmt.Errorf("%s was acknowledged at %d, and seen at %d", value, revision, seen[value])
		}
	}
	return nil
}
