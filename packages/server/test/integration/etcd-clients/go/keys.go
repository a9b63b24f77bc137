package main

import (
	"context"
	"strings"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/etcdserver/api/v3rpc/rpctypes"
)

func keys(ctx context.Context, client *clientv3.Client) error {
	kv := clientv3.NewKV(client)
	first, err := kv.Put(ctx, "keys/a", "1")
	if err != nil {
		return err
	}
	second, err := kv.Put(ctx, "keys/a", "2", clientv3.WithPrevKV())
	if err != nil {
		return err
	}
	if err := check(string(second.PrevKv.Value) == "1", "the value before is 1: %v", second); err != nil {
		return err
	}
	if _, err := kv.Put(ctx, "keys/b", "\x00\xff", clientv3.WithLease(clientv3.NoLease)); err != nil {
		return err
	}
	all, err := kv.Get(ctx, "keys/", clientv3.WithPrefix(),
		clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend))
	if err != nil {
		return err
	}
	old, err := kv.Get(ctx, "keys/a", clientv3.WithRev(first.Header.Revision))
	if err != nil {
		return err
	}
	counted, err := kv.Get(ctx, "keys/", clientv3.WithPrefix(), clientv3.WithCountOnly(), clientv3.WithSerializable())
	if err != nil {
		return err
	}
	deleted, err := kv.Delete(ctx, "keys/b", clientv3.WithPrevKV())
	if err != nil {
		return err
	}
	return firstOf(
		check(len(all.Kvs) == 2 && string(all.Kvs[0].Value) == "\x00\xff", "keys/b is the newest of two: %v", all),
		check(all.Kvs[1].Version == 2, "keys/a is at its second version: %v", all),
		check(string(old.Kvs[0].Value) == "1", "history has the first value: %v", old),
		check(counted.Count >= 1 && len(counted.Kvs) == 0, "keys are counted, and not sent: %v", counted),
		check(deleted.Deleted == 1 && len(deleted.PrevKvs) == 1, "one key was deleted: %v", deleted),
		branches(ctx, client),
		refusals(ctx, client),
	)
}

// A transaction with one in each of its branches.
func branches(ctx context.Context, client *clientv3.Client) error {
	inner := clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.Value("keys/a"), "=", "other")},
		nil,
		[]clientv3.Op{clientv3.OpPut("keys/c", "from within"), clientv3.OpGet("keys/c")},
	)
	answer, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.Version("keys/a"), ">", 1),
			clientv3.Compare(clientv3.CreateRevision("keys/none").WithPrefix(), "=", 0)).
		Then(inner, clientv3.OpDelete("keys/a")).
		Else(clientv3.OpPut("keys/c", "wrong")).
		Commit()
	if err != nil {
		return err
	}
	if err := check(answer.Succeeded && len(answer.Responses) == 2, "two operations were done: %v", answer); err != nil {
		return err
	}
	within := answer.Responses[0].GetResponseTxn()
	return firstOf(
		check(!within.Succeeded && len(within.Responses) == 2, "the other branch was taken within: %v", within),
		check(string(within.Responses[1].GetResponseRange().Kvs[0].Value) == "from within", "it sees its own put"),
		check(answer.Responses[1].GetResponseDeleteRange().Deleted == 1, "keys/a is gone: %v", answer),
	)
}

// The client knows errors by their texts, to the letter.
func refusals(ctx context.Context, client *clientv3.Client) error {
	_, noKey := client.Put(ctx, "", "value")
	_, noLease := client.Put(ctx, "keys/a", "value", clientv3.WithLease(4711))
	_, future := client.Get(ctx, "keys/a", clientv3.WithRev(1<<40))
	_, twice := client.Txn(ctx).Then(clientv3.OpPut("keys/a", "1"), clientv3.OpPut("keys/a", "2")).Commit()
	many := make([]clientv3.Op, 129)
	for at := range many {
		many[at] = clientv3.OpGet("keys/a")
	}
	_, tooMany := client.Txn(ctx).Then(many...).Commit()
	_, ignored := client.Put(ctx, "keys/none", "", clientv3.WithIgnoreValue())
	_, tooLong := client.Put(ctx, "keys/a", strings.Repeat("v", 1_600_000))
	_, keepAlive := client.KeepAliveOnce(ctx, 4711)
	now, err := client.Put(ctx, "keys/a", "3")
	if err != nil {
		return err
	}
	if _, err := client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	_, compacted := client.Get(ctx, "keys/a", clientv3.WithRev(now.Header.Revision-1))
	_, again := client.Compact(ctx, now.Header.Revision)
	return firstOf(
		check(noKey == rpctypes.ErrEmptyKey, "an empty key: %v", noKey),
		check(noLease == rpctypes.ErrLeaseNotFound, "a lease that is not there: %v", noLease),
		check(future == rpctypes.ErrFutureRev, "a revision that is yet to come: %v", future),
		check(twice == rpctypes.ErrDuplicateKey, "a key that is put twice: %v", twice),
		check(tooMany == rpctypes.ErrTooManyOps, "129 operations: %v", tooMany),
		check(ignored == rpctypes.ErrKeyNotFound, "the value of a key that is not there: %v", ignored),
		check(tooLong == rpctypes.ErrRequestTooLarge, "a request that is too large: %v", tooLong),
		check(keepAlive == rpctypes.ErrLeaseNotFound, "a lease kept alive that is not there: %v", keepAlive),
		check(compacted == rpctypes.ErrCompacted, "a revision that was given up: %v", compacted),
		check(again == rpctypes.ErrCompacted, "a compaction that was done before: %v", again),
	)
}
