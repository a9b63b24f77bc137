/** Members, and what operators ask for, as clients of etcd know them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AlarmRequest_AlarmAction as Action,
  AlarmType,
  DowngradeRequest_DowngradeAction as Downgrade,
} from "@dkv/protocol/etcdserverpb/rpc";
import { logIndex, nodeId } from "@dkv/raft";
import type { MemberView } from "../../src/consensus/member.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { bytes, openEtcd, refusalOf } from "./etcd-client.ts";
import { connectHttp2, frame, rawCall } from "./raw-http2.ts";

const other: MemberView = {
  id: nodeId(2n),
  name: "two",
  peerAddress: "two:2380",
  clientAddress: "two:2379",
  role: "learner",
  isLeader: false,
  isReachable: true,
  match: undefined,
  lag: undefined,
  version: "",
  lastContactMs: undefined,
  isCorrupt: false,
  replaces: undefined,
};

describe("Cluster of etcd", () => {
  it("lists members with URLs; one that has only its address as a name has not started", async (t) => {
    const { cluster, member } = await openEtcd(t);
    const added = { ...other, id: nodeId(3n), name: "x:1", peerAddress: "x:1", clientAddress: "" };
    member.others = [
      other,
      added,
      { ...added, id: nodeId(4n), peerAddress: "moved:1" },
      { ...added, id: nodeId(5n), clientAddress: "x:2" },
      { ...added, id: nodeId(6n), name: "six" },
    ];
    await cluster.memberList({});
    assert.equal(member.barriers, 0);
    const { header, members } = await cluster.memberList({ linearizable: true });
    assert.equal(header?.revision, 0n);
    assert.equal(member.barriers, 1);
    assert.deepEqual(
      members.map(({ ID, name, peerURLs, clientURLs, isLearner }) => [
        ID,
        name,
        peerURLs,
        clientURLs,
        isLearner,
      ]),
      [
        [member.status().memberId, "one", ["http://localhost:2380"], ["http://localhost:3000"], false],
        [2n, "two", ["http://two:2380"], ["http://two:2379"], true],
        [3n, "", ["http://x:1"], [], true],
        [4n, "", ["http://moved:1"], [], true],
        [5n, "x:1", ["http://x:1"], ["http://x:2"], true],
        [6n, "six", ["http://x:1"], [], true],
      ],
    );
  });

  it("changes members by their ids", async (t) => {
    const { cluster, member } = await openEtcd(t);
    member.others = [other];
    await cluster.memberUpdate({ ID: 2n, peerURLs: ["https://new:2380"] });
    await cluster.memberPromote({ ID: 2n });
    const { members } = await cluster.memberRemove({ ID: 2n });
    assert.equal(members.length, 2);
    assert.deepEqual(member.changes, [
      { kind: "update", name: "two", peerAddress: "new:2380" },
      { kind: "promote", name: "two" },
      { kind: "leave", name: "two" },
    ]);
  });

  it("shows the URLs that a member advertises, whatever its address", async (t) => {
    const { cluster, member } = await openEtcd(t);
    const clientUrls = ["https://proxy.example:443", "http://two:2379"];
    member.others = [{ ...other, clientUrls }];
    const { members } = await cluster.memberList({});
    assert.deepEqual(members[1]?.clientURLs, clientUrls);
  });

  it("adds a learner that stays one only if one was asked for", async (t) => {
    const { cluster, member } = await openEtcd(t);
    for (const isLearner of [true, false])
      await refusalOf(cluster.memberAdd({ peerURLs: ["http://a:1"], isLearner }));
    assert.deepEqual(
      member.changes,
      [true, false].map((staysLearner) => ({ kind: "join", name: "a:1", peerAddress: "a:1", staysLearner })),
    );
  });

  it("refuses in etcd's words", async (t) => {
    const { cluster, member } = await openEtcd(t);
    member.others = [other];
    const bad = "InvalidArgument: etcdserver: given member URLs are invalid";
    for (const peerURLs of [
      [],
      ["x"],
      ["ftp://a:1"],
      ["http://a"],
      ["http://:1"],
      ["http://a:1/b"],
      ["http://a:1", "http://b:1"],
    ])
      assert.equal(await refusalOf(cluster.memberAdd({ peerURLs })), bad);
    for (const [call, words] of [
      [
        () => cluster.memberAdd({ peerURLs: ["http://a:1"], isLearner: true }),
        "FailedPrecondition: etcdserver: too many learner members in cluster",
      ],
      [
        () => cluster.memberAdd({ peerURLs: ["http://two:2380"] }),
        "FailedPrecondition: etcdserver: Peer URLs already exists",
      ],
      [() => cluster.memberRemove({ ID: 9n }), "NotFound: etcdserver: member not found"],
      [
        () => cluster.memberUpdate({ ID: 9n, peerURLs: ["http://a:1"] }),
        "NotFound: etcdserver: member not found",
      ],
      [
        () => cluster.memberPromote({ ID: member.status().memberId }),
        "FailedPrecondition: etcdserver: can only promote a learner member",
      ],
    ] as const)
      assert.equal(await refusalOf(call()), words);
    member.failure = new DkvError("quorumAtRisk", "too few would answer");
    assert.equal(
      await refusalOf(cluster.memberRemove({ ID: 2n })),
      "FailedPrecondition: etcdserver: re-configuration failed due to not enough started members",
    );
  });
});

describe("Maintenance of etcd", () => {
  it("tells how the member is, with a version that clients accept", async (t) => {
    const { maintenance, member } = await openEtcd(t);
    member.about = { dataBytes: 5000, commitIndex: logIndex(7), quotaBytes: 9000, isLearner: true };
    const status = await maintenance.status({});
    assert.match(status.version, /^3\.7\.\d+$/);
    assert.deepEqual(
      [
        status.dbSize,
        status.leader,
        status.raftIndex,
        status.raftAppliedIndex,
        status.dbSizeQuota,
        status.isLearner,
        status.errors,
      ],
      [5000n, member.status().memberId, 7n, 1n, 9000n, true, []],
    );
    member.leader = "";
    assert.deepEqual((await maintenance.status({})).errors, ["etcdserver: no leader"]);
  });

  it("raises, shows and lifts the alarm of a member's space, and leaves the other one alone", async (t) => {
    const { maintenance } = await openEtcd(t);
    const alarm = { memberID: 2n, alarm: AlarmType.NOSPACE };
    const rows = async (action: Action, more = {}): Promise<unknown[]> =>
      (await maintenance.alarm({ action, ...more })).alarms.map(({ memberID, alarm }) => [memberID, alarm]);
    for (const action of [Action.DEACTIVATE, Action.ACTIVATE])
      assert.deepEqual(await rows(action, { memberID: 2n }), [], "of no kind");
    assert.deepEqual(await rows(Action.DEACTIVATE, alarm), []);
    assert.deepEqual(await rows(Action.ACTIVATE, alarm), [[2n, AlarmType.NOSPACE]]);
    assert.deepEqual(await rows(Action.GET), [[2n, AlarmType.NOSPACE]]);
    assert.deepEqual(await rows(Action.GET, { alarm: AlarmType.CORRUPT }), []);
    assert.deepEqual((await maintenance.status({})).errors, ["memberID:2 alarm:NOSPACE "]);
    assert.deepEqual(await rows(Action.DEACTIVATE, alarm), [[2n, AlarmType.NOSPACE]]);
    assert.deepEqual(await rows(Action.GET), []);
    const corrupt = maintenance.alarm({ action: Action.DEACTIVATE, memberID: 2n, alarm: AlarmType.CORRUPT });
    assert.match(await refusalOf(corrupt), /^FailedPrecondition: .*replace that member/);
  });

  it("hashes history as etcd does", async (t) => {
    const { maintenance, kv } = await openEtcd(t);
    const nothing = await maintenance.hashKV({});
    // As etcd 3.4.23 answers.
    assert.deepEqual([nothing.hash, nothing.compactRevision, nothing.hashRevision], [1084519789, -1n, 1n]);
    await kv.compact({ revision: 0n });
    assert.equal((await maintenance.hashKV({})).compactRevision, 0n);
    assert.match(await refusalOf(kv.compact({ revision: 0n })), /^OutOfRange: .*compacted$/);
    await kv.put({ key: bytes("a"), value: bytes("1") });
    await kv.put({ key: bytes("a"), value: bytes("2") });
    await kv.compact({ revision: 2n, physical: true });
    const { hash, compactRevision, hashRevision, header } = await maintenance.hashKV({ revision: 3n });
    assert.deepEqual([compactRevision, hashRevision, header?.revision], [2n, 3n, 3n]);
    assert.equal((await maintenance.hash({})).hash, hash);
    const before = await maintenance.hashKV({ revision: -5n });
    assert.deepEqual([before.hash, before.compactRevision, before.hashRevision], [1084519789, 2n, -5n]);
    for (const [revision, words] of [
      [1n, "compacted"],
      [4n, "a future revision"],
      [2n ** 63n - 1n, "a future revision"],
    ] as const)
      assert.match(await refusalOf(maintenance.hashKV({ revision })), new RegExp(`^OutOfRange: .*${words}$`));
  });

  it("hands leadership over if it leads, and to a voter", async (t) => {
    const { maintenance, member } = await openEtcd(t);
    member.others = [other, { ...other, id: nodeId(3n), name: "three", role: "voter" }];
    const transferee = "FailedPrecondition: etcdserver: bad leader transferee";
    assert.equal(await refusalOf(maintenance.moveLeader({ targetID: 2n })), transferee);
    assert.equal(await refusalOf(maintenance.moveLeader({ targetID: 9n })), transferee);
    await maintenance.moveLeader({ targetID: 3n });
    assert.deepEqual(member.changes, [{ kind: "moveLeader", name: "three" }]);
    member.leader = "";
    assert.equal(
      await refusalOf(maintenance.moveLeader({ targetID: 3n })),
      "FailedPrecondition: etcdserver: not leader",
    );
  });

  it("has nothing to defragment, and nothing to go back to", async (t) => {
    const { maintenance } = await openEtcd(t);
    await maintenance.defragment({});
    for (const [request, words] of [
      [
        { action: Downgrade.VALIDATE, version: "3.6" },
        "InvalidArgument: etcdserver: invalid downgrade target version",
      ],
      [
        { action: Downgrade.ENABLE, version: "x" },
        "InvalidArgument: etcdserver: wrong downgrade target version format",
      ],
      [{ action: Downgrade.CANCEL }, "FailedPrecondition: etcdserver: no inflight downgrade job"],
    ] as const)
      assert.equal(await refusalOf(maintenance.downgrade(request)), words);
  });
});

describe("gRPC that calls what is not served", () => {
  for (const [path, words] of [
    ["/v3lockpb.Lock/Own", "unknown method Own for service v3lockpb.Lock"],
    ["/etcdserverpb.Kv/Range", "unknown service etcdserverpb.Kv"],
    ["/etcdserverpb.KV/Nonsense", "unknown method Nonsense for service etcdserverpb.KV"],
  ] as const)
    it(`is told so: ${path}`, async (t) => {
      const { url } = await openEtcd(t);
      const session = await connectHttp2(url);
      t.after(() => {
        session.destroy();
      });
      const { headers } = await rawCall(session, { ":path": path }, [frame(new Uint8Array())]);
      assert.deepEqual(
        [headers[":status"], headers["grpc-status"], headers["grpc-message"]],
        [200, "12", encodeURI(words)],
      );
    });
});
