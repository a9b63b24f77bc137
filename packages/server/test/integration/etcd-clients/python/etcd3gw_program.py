"""A program that somebody wrote for etcd's JSON gateway, with Debian's python3-etcd3gw.

    etcd3gw_program.py everything ENDPOINT,... CA-FILE
"""
import sys
import urllib.parse

import etcd3gw

PATIENCE = 40


def everything(client):
    keys(client)
    leases(client)
    locks(client)
    watches(client)
    assert len(client.members()) == 3
    assert client.status()["version"]


def keys(client):
    assert client.put("gateway/a", "1") and client.get("gateway/a") == [b"1"]
    assert client.create("gateway/b", b"\x00\xff") and not client.create("gateway/b", "2")
    assert client.replace("gateway/a", "1", "3") and not client.replace("gateway/a", "1", "4")
    found = client.get_prefix("gateway/", sort_order="descend", sort_target="key")
    assert [(value, facts["key"]) for value, facts in found] == [
        (b"\x00\xff", b"gateway/b"), (b"3", b"gateway/a")], found
    assert found[1][1]["version"] == "2", found
    assert client.delete("gateway/a") and not client.delete("gateway/a")
    assert client.delete_prefix("gateway/") and client.get("gateway/b") == []


def leases(client):
    lease = client.lease(ttl=600)
    client.put("gateway/leased", "here", lease=lease)
    assert lease.keys() == [b"gateway/leased"] and 590 < lease.ttl() <= 600
    assert lease.refresh() == 600
    lease.revoke()
    assert client.get("gateway/leased") == []


def locks(client):
    with client.lock("gateway", ttl=30) as lock:
        assert lock.is_acquired() and lock.refresh() == 30
        assert not client.lock("gateway", ttl=30).acquire()
    assert client.lock("gateway", ttl=30).acquire()


def watches(client):
    events, cancel = client.watch_prefix("gateway/watched")
    client.put("gateway/watched", "1")
    client.delete("gateway/watched")
    changed, deleted = next(events), next(events)
    assert changed["kv"]["value"] == b"1", changed
    assert deleted["type"] == "DELETE", deleted
    cancel()


if __name__ == "__main__":
    url = urllib.parse.urlparse(sys.argv[2].split(",")[0])
    gateway = etcd3gw.Etcd3Client(host=url.hostname, port=url.port, protocol=url.scheme,
                                  ca_cert=sys.argv[3], timeout=PATIENCE, api_path="/v3/")
    everything(gateway)
