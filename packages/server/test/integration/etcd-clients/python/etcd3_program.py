"""A program that somebody wrote for etcd, with Debian's python3-etcd3: each scenario uses one part of that client.

    etcd3_program.py SCENARIO ENDPOINT,... CA-FILE
"""
import io
import queue
import sys
import threading
import time
import urllib.parse

import etcd3
import grpc

PATIENCE = 40


def keys(client):
    client.delete_prefix("keys/")
    client.put("keys/a", "1")
    answer = client.put("keys/a", b"\x00\xff", prev_kv=True)
    assert answer.prev_kv.value == b"1", answer
    value, facts = client.get("keys/a")
    assert (value, facts.key, facts.version) == (b"\x00\xff", b"keys/a", 2), (value, facts)
    assert client.get("keys/none") == (None, None)
    assert client.put_if_not_exists("keys/b", "2") and not client.put_if_not_exists("keys/b", "3")
    assert client.replace("keys/b", "2", "4") and not client.replace("keys/b", "2", "5")
    found = client.get_prefix("keys/", sort_order="descend", sort_target="key")
    assert [facts.key for _, facts in found] == [b"keys/b", b"keys/a"]
    assert len(list(client.get_range("keys/a", "keys/b"))) == 1
    assert len(list(client.get_all())) >= 2
    txn = client.transactions
    done, answers = client.transaction(
        compare=[txn.value("keys/b") == "4", txn.version("keys/a") > 1, txn.create("keys/none") == 0],
        success=[txn.put("keys/c", "6"), txn.get("keys/c"),
                 txn.txn(compare=[txn.mod("keys/b") > 0], success=[txn.delete("keys/b")], failure=[])],
        failure=[txn.put("keys/c", "wrong")],
    )
    assert done and answers[1][0][0] == b"6", answers
    assert client.get("keys/b") == (None, None)
    assert client.delete("keys/a") and not client.delete("keys/a")
    revision = client.put("keys/c", "7").header.revision
    client.compact(revision, physical=True)
    try:
        client.compact(revision)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.OUT_OF_RANGE, error
    else:
        raise AssertionError("the same is compacted twice")
    assert client.delete_prefix("keys/").deleted == 1


def locks(client):
    """Counts under a lock, by reading and then writing what nothing else protects."""
    holders, turns = 3, 4
    client.put("locks-count", "0")
    failures = queue.Queue()

    def count():
        try:
            with connect() as own:
                for _ in range(turns):
                    lock = own.lock("counter", ttl=30)
                    # Debian's tenacity is newer than this client, whose way of waiting for a lock it breaks.
                    while not lock.acquire(timeout=0):
                        time.sleep(0.02)
                    assert lock.is_acquired()
                    own.put("locks-count", str(int(own.get("locks-count")[0]) + 1))
                    assert lock.release()
        except BaseException as failure:
            failures.put(failure)

    threads = [threading.Thread(target=count) for _ in range(holders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not failures.empty():
        raise failures.get()
    assert client.get("locks-count")[0] == str(holders * turns).encode()
    held = client.lock("held", ttl=30)
    assert held.acquire() and held.refresh()[0].TTL == 30
    assert not client.lock("held", ttl=30).acquire(timeout=0)
    held.release()


def leases(client):
    lease = client.lease(2)
    client.put("leases/kept", "here", lease=lease)
    assert (lease.granted_ttl, lease.keys) == (2, [b"leases/kept"])
    for _ in range(3):
        time.sleep(1)
        assert lease.refresh()[0].TTL == 2
        assert client.get("leases/kept")[0] == b"here"
    ended = client.watch_once("leases/kept", timeout=PATIENCE)
    assert isinstance(ended, etcd3.events.DeleteEvent), ended
    revoked = client.lease(600, lease_id=4711)
    client.put("leases/revoked", "here", lease=revoked)
    assert 590 < revoked.remaining_ttl <= 600
    revoked.revoke()
    assert client.get("leases/revoked") == (None, None)
    assert client.lease(600, lease_id=4711).id == 4711


def watches(client):
    first = client.put("watches/a", "0").header.revision
    called = queue.Queue()
    watch_id = client.add_watch_prefix_callback("watches/", called.put, prev_kv=True)
    for value in range(1, 6):
        client.put("watches/a", str(value))
    client.delete("watches/a")
    told = []
    while len(told) < 6:
        told += called.get(timeout=PATIENCE).events
    client.cancel_watch(watch_id)
    assert [event.mod_revision for event in told] == [first + at for at in range(1, 7)]
    assert [event.prev_value for event in told] == [str(at).encode() for at in range(6)]
    past, cancel = client.watch_prefix("watches/", start_revision=first, filters=None)
    assert [next(past).value for _ in range(6)] == [str(at).encode() for at in range(6)]
    assert isinstance(next(past), etcd3.events.DeleteEvent)
    cancel()
    client.compact(client.put("watches/a", "9").header.revision)
    late, _ = client.watch("watches/a", start_revision=first)
    try:
        next(late)
    except etcd3.exceptions.RevisionCompactedError as error:
        assert error.compacted_revision > first
    else:
        raise AssertionError("what was given up is watched")


def maintenance(client):
    members = list(client.members)
    assert len(members) == 3 and all(member.client_urls for member in members), members
    status = client.status()
    assert status.leader.id in [member.id for member in members] and status.version
    assert list(client.list_alarms()) == []
    assert isinstance(client.hash(), int)
    client.defragment()
    file = io.BytesIO()
    client.snapshot(file)
    assert file.tell() % 512 == 32, "pages, and a checksum"


def leader_change(client):
    """Writes before, while and after the leader goes, which it asks for with the line "now". The member that this client
    knows may be that leader, so there is one for each of them: one watches, and the next one does what one cannot."""
    clients = [client] + [connect(at) for at in (1, 2)]
    first = client.get_response("change/none").header.revision + 1
    told = [watched(one, first) for one in clients]
    acknowledged = {}
    number = 0
    while len(acknowledged) < 150:
        if len(acknowledged) == 50:
            print("now", flush=True)
        number += 1
        try:
            answer = clients[number % 3].put("change/key", str(number))
            acknowledged[str(number).encode()] = answer.header.revision
        except (etcd3.exceptions.Etcd3Exception, grpc.RpcError):
            time.sleep(0.05)
    end = max(acknowledged.values())
    whole = 0
    for one in told:
        events = []
        while not events or events[-1].mod_revision < end:
            event = one.get(timeout=PATIENCE)
            if event is None:
                break
            events.append(event)
        revisions = [event.mod_revision for event in events]
        assert revisions == sorted(set(revisions)), "revisions rise"
        seen = {event.value: event.mod_revision for event in events}
        reached = revisions[-1]
        missing = [value for value, at in acknowledged.items() if at <= reached and seen.get(value) != at]
        assert not missing, missing
        whole += reached >= end
    assert whole >= 2, "a watch at a member that stays goes on: {}".format(whole)


def watched(client, first):
    """The events of a watch, and behind them None when it ends: this client makes none of its own accord again."""
    events = queue.Queue()

    def take(answer):
        for event in [None] if isinstance(answer, Exception) else answer.events:
            events.put(event)

    client.add_watch_prefix_callback("change/key", take, start_revision=first)
    return events


def connect(at=0):
    url = urllib.parse.urlparse(sys.argv[2].split(",")[at])
    return etcd3.client(host=url.hostname, port=url.port, ca_cert=sys.argv[3], timeout=PATIENCE)


SCENARIOS = {
    "keys": keys,
    "leader-change": leader_change,
    "leases": leases,
    "locks": locks,
    "maintenance": maintenance,
    "watches": watches,
}

if __name__ == "__main__":
    with connect() as first_client:
        SCENARIOS[sys.argv[1]](first_client)
