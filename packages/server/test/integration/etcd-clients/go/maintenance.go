package main

import (
	"context"
	"io"

	"go.etcd.io/etcd/clientv3"
)

// What a program that looks after a cluster asks of its members.
func maintenance(ctx context.Context, client *clientv3.Client) error {
	members, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	if err := check(len(members.Members) == 3, "there are three members: %v", members); err != nil {
		return err
	}
	if err := client.Sync(ctx); err != nil {
		return err
	}
	leaders := map[uint64]bool{}
	for _, endpoint := range client.Endpoints() {
		status, err := client.Status(ctx, endpoint)
		if err != nil {
			return err
		}
		leaders[status.Leader] = true
		if _, err := client.HashKV(ctx, endpoint, 0); err != nil {
			return err
		}
		if _, err := client.Defragment(ctx, endpoint); err != nil {
			return err
		}
	}
	alarms, err := client.AlarmList(ctx)
	if err != nil {
		return err
	}
	snapshot, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	size, err := io.Copy(io.Discard, snapshot)
	return firstOf(
		err,
		check(len(client.Endpoints()) == 3, "each member has an endpoint: %v", client.Endpoints()),
		check(len(leaders) == 1 && !leaders[0], "all agree who leads: %v", leaders),
		check(len(alarms.Alarms) == 0, "no alarm is raised: %v", alarms),
		check(size > 4096 && size%512 == 32, "a snapshot is pages and a checksum: %d bytes", size),
	)
}
