package main

import (
	"context"
	"fmt"
	"strconv"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/concurrency"
)

const sessionSeconds = 20

func session(client *clientv3.Client) (*concurrency.Session, error) {
	return concurrency.NewSession(client, concurrency.WithTTL(sessionSeconds))
}

// Counts under a lock, by reading and then writing what nothing else protects.
func locks(ctx context.Context, client *clientv3.Client) error {
	const holders, turns = 4, 5
	err := together(holders, func(int) error {
		held, err := session(client)
		if err != nil {
			return err
		}
		defer held.Close()
		mutex := concurrency.NewMutex(held, "locks/counter")
		for turn := 0; turn < turns; turn++ {
			if err := countUnder(ctx, client, mutex); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	counted, err := client.Get(ctx, "locks/count")
	if err != nil {
		return err
	}
	want := strconv.Itoa(holders * turns)
	if err := check(string(counted.Kvs[0].Value) == want, "each has counted once a turn: %v", counted); err != nil {
		return err
	}
	return handedOn(ctx, client)
}

func countUnder(ctx context.Context, client *clientv3.Client, mutex *concurrency.Mutex) error {
	if err := mutex.Lock(ctx); err != nil {
		return err
	}
	found, err := client.Get(ctx, "locks/count")
	if err != nil {
		return err
	}
	count := 0
	if len(found.Kvs) > 0 {
		if count, err = strconv.Atoi(string(found.Kvs[0].Value)); err != nil {
			return err
		}
	}
	written, err := client.Txn(ctx).If(mutex.IsOwner()).
		Then(clientv3.OpPut("locks/count", strconv.Itoa(count+1))).Commit()
	if err != nil {
		return err
	}
	if err := check(written.Succeeded, "who has the lock owns it"); err != nil {
		return err
	}
	return mutex.Unlock(ctx)
}

// Who dies without a word leaves its lock to the next one when its lease ends.
func handedOn(ctx context.Context, client *clientv3.Client) error {
	dying, err := concurrency.NewSession(client, concurrency.WithTTL(1))
	if err != nil {
		return err
	}
	if err := concurrency.NewMutex(dying, "locks/left").Lock(ctx); err != nil {
		return err
	}
	dying.Orphan()
	living, err := session(client)
	if err != nil {
		return err
	}
	defer living.Close()
	return concurrency.NewMutex(living, "locks/left").Lock(ctx)
}

// Candidates lead one after the other, and who looks on sees each of them.
func elections(ctx context.Context, client *clientv3.Client) error {
	const candidates = 3
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watching, err := session(client)
	if err != nil {
		return err
	}
	defer watching.Close()
	seen := concurrency.NewElection(watching, "elections/one").Observe(ctx)
	met := make(chan string)
	go func() {
		for leader := range seen {
			met <- string(leader.Kvs[0].Value)
		}
	}()
	return together(candidates, func(number int) error {
		held, err := session(client)
		if err != nil {
			return err
		}
		defer held.Close()
		election := concurrency.NewElection(held, "elections/one")
		if err := election.Campaign(ctx, fmt.Sprint("candidate ", number)); err != nil {
			return err
		}
		// Nobody else leads until this one resigns, so what is seen is what this one says.
		proclaimed := fmt.Sprint("leader ", number)
		if err := election.Proclaim(ctx, proclaimed); err != nil {
			return err
		}
		for leader := ""; leader != proclaimed; {
			select {
			case leader = <-met:
			case <-ctx.Done():
				return fmt.Errorf("%s was not seen: %w", proclaimed, ctx.Err())
			}
		}
		said, err := election.Leader(ctx)
		if err != nil {
			return err
		}
		if err := check(string(said.Kvs[0].Value) == proclaimed, "%s leads: %v", proclaimed, said); err != nil {
			return err
		}
		return election.Resign(ctx)
	})
}

// Money goes from one account to another, and neither comes into being nor vanishes.
func stm(ctx context.Context, client *clientv3.Client) error {
	const accounts, movers, moves, all = 4, 4, 8, 400
	name := func(number int) string { return fmt.Sprint("stm/", number%accounts) }
	for account := 0; account < accounts; account++ {
		if _, err := client.Put(ctx, name(account), strconv.Itoa(all/accounts)); err != nil {
			return err
		}
	}
	levels := []concurrency.Isolation{concurrency.SerializableSnapshot, concurrency.Serializable}
	err := together(movers, func(mover int) error {
		for move := 0; move < moves; move++ {
			transfer := func(state concurrency.STM) error {
				from, to := name(mover+move), name(mover+move+1+move%2)
				left, errFrom := strconv.Atoi(state.Get(from))
				has, errTo := strconv.Atoi(state.Get(to))
				state.Put(from, strconv.Itoa(left-move))
				state.Put(to, strconv.Itoa(has+move))
				return firstOf(errFrom, errTo)
			}
			isolation := concurrency.WithIsolation(levels[mover%len(levels)])
			if _, err := concurrency.NewSTM(client, transfer, isolation); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	found, err := client.Get(ctx, "stm/", clientv3.WithPrefix())
	if err != nil {
		return err
	}
	sum := 0
	for _, account := range found.Kvs {
		value, err := strconv.Atoi(string(account.Value))
		if err != nil {
			return err
		}
		sum += value
	}
	return check(sum == all && len(found.Kvs) == accounts, "nothing was lost: %d in %v", sum, found)
}
