import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient, type Client, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { CheckVerdict, MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";
import { logIndex, nodeId } from "@dkv/raft";
import { readBackup, type BackupPart, type StateRecord } from "@dkv/snapshot";
import { encodePosition, positionKey } from "@dkv/store";
import { DkvError } from "../../src/platform/errors.ts";
import { openClientPort } from "./client-port.ts";
import { failureOf } from "./refusal.ts";

type Maintenance = Client<typeof MaintenanceAPI>;

const over = (transport: Transport): Maintenance => createClient(MaintenanceAPI, transport);
const overGrpc = (url: string): Maintenance => over(createGrpcTransport({ baseUrl: url }));
const overHttp1 = (url: string): Maintenance =>
  over(createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));

async function* piecesOf(maintenance: Maintenance, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const { piece } of maintenance.snapshot({}, signal === undefined ? {} : { signal })) yield piece;
}

async function backupOf(maintenance: Maintenance): Promise<readonly BackupPart[]> {
  const parts: BackupPart[] = [];
  for await (const part of readBackup(piecesOf(maintenance))) parts.push(part);
  return parts;
}

const valueBytes = 10_000;

/** Without end. Counts what was read, and tells when it is closed. */
function endless(): {
  records: () => AsyncGenerator<StateRecord>;
  readBytes: () => number;
  closed: Promise<void>;
} {
  let count = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    async *records() {
      try {
        yield [positionKey, encodePosition({ appliedIndex: 1, appliedTerm: 3, revision: 1 })];
        for (; ; count += 1) {
          const key = Buffer.from(`\x20${String(count).padStart(12, "0")}`);
          yield await Promise.resolve([key, Buffer.alloc(valueBytes)] as const);
        }
      } finally {
        resolve();
      }
    },
    readBytes: () => count * valueBytes,
    closed: promise,
  };
}

/** A client that reads the first piece and then no more. */
async function begun(t: TestContext, url: string): Promise<{ stop: () => void }> {
  const abort = new AbortController();
  const pieces = piecesOf(overGrpc(url), abort.signal);
  t.after(() => {
    abort.abort();
  });
  await pieces.next();
  return {
    stop: () => {
      abort.abort();
    },
  };
}

describe("dkv.v1.MaintenanceAPI", () => {
  it("streams a backup that is whole, over every protocol", async (t) => {
    const { url, member } = await openClientPort(t);
    for (const maintenance of [overGrpc(url), overHttp1(url)]) {
      const parts = await backupOf(maintenance);
      assert.deepEqual(
        parts.map(({ kind }) => kind),
        ["header", "chunk", "end"],
      );
      assert.equal(member.openSnapshots, 0);
    }
  });

  it("sends a large chunk in pieces that every client takes", async (t) => {
    const { url, member } = await openClientPort(t);
    member.records = async function* () {
      yield [positionKey, encodePosition({ appliedIndex: 1, appliedTerm: 3, revision: 1 })];
      yield await Promise.resolve([Buffer.from("\x20large"), Buffer.alloc(3_000_000)] as const);
    };
    let bytes = 0;
    for await (const piece of piecesOf(overGrpc(url))) {
      assert.ok(piece.length <= 256 * 1024);
      bytes += piece.length;
    }
    assert.ok(bytes > 3_000_000);
  });

  it("reads on only as the client takes what was read", async (t) => {
    const { url, member } = await openClientPort(t);
    const source = endless();
    member.records = source.records;
    const session = connect(url);
    t.after(() => {
      session.destroy();
    });
    const stream = session.request({
      ":method": "POST",
      ":path": "/dkv.v1.MaintenanceAPI/Snapshot",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(Buffer.alloc(5));
    await once(stream, "response");
    // Each round trip gives the member time to send far more than it may.
    for (let trip = 0; trip < 200; trip += 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      session.ping(() => {
        resolve();
      });
      await promise;
    }
    const held = source.readBytes();
    assert.ok(held < 2 ** 20, `${String(held)} bytes were read for a client that takes nothing`);
    stream.resume();
    while (source.readBytes() < held + 2 ** 20) await once(stream, "data");
    stream.close();
    await source.closed;
  });

  for (const [protocol, over] of [
    ["gRPC", overGrpc],
    ["HTTP/1.1", overHttp1],
  ] as const) {
    it(`lets go of everything when a client of ${protocol} goes`, async (t) => {
      const { url, member } = await openClientPort(t);
      const source = endless();
      member.records = source.records;
      const abort = new AbortController();
      const reading = (async () => {
        for await (const piece of piecesOf(over(url), abort.signal)) if (piece.length > 1000) abort.abort();
      })();
      assert.equal((await failureOf(reading)).code, Code.Canceled);
      await source.closed;
      while (member.openSnapshots > 0) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  it("makes a few backups at a time, and says so", async (t) => {
    const { url, member } = await openClientPort(t);
    const sources = [endless(), endless(), endless(), endless()];
    const clients: { stop: () => void }[] = [];
    for (const { records } of sources) {
      member.records = records;
      clients.push(await begun(t, url));
    }
    const error = await failureOf(backupOf(overGrpc(url)));
    assert.equal(error.code, Code.ResourceExhausted);
    assert.match(error.rawMessage, /4 backups are being made of this member/);
    clients[0]?.stop();
    await sources[0]?.closed;
    while (member.openSnapshots > 3) await new Promise((resolve) => setImmediate(resolve));
    member.records = endless().records;
    await begun(t, url);
  });

  it("waits for what was acknowledged, unless whatever is there will do", async (t) => {
    const { url, member } = await openClientPort(t);
    await backupOf(overGrpc(url));
    assert.equal(member.timeouts.length, 1);
    member.hasQuorum = false;
    const pieces: Uint8Array[] = [];
    for await (const { piece } of overGrpc(url).snapshot({ serializable: true })) pieces.push(piece);
    assert.ok(pieces.length > 2);
    assert.equal(member.timeouts.length, 1);
  });

  it("says why there is none", async (t) => {
    const { url, member } = await openClientPort(t);
    member.failure = new DkvError("noLeader", "there is no leader");
    const error = await failureOf(backupOf(overGrpc(url)));
    assert.deepEqual([error.code, error.rawMessage], [Code.Unavailable, "there is no leader"]);
    assert.equal(member.openSnapshots, 0);
  });

  it("ends when the member stops", async (t) => {
    const { url, member, close } = await openClientPort(t);
    const source = endless();
    member.records = source.records;
    const reading = (async () => {
      let count = 0;
      for await (const _ of piecesOf(overGrpc(url))) {
        count += 1;
        if (count === 3) void close(5000);
      }
    })();
    const error = await failureOf(reading);
    assert.equal(error.code, Code.Unavailable);
    await source.closed;
  });
});

describe("dkv.v1.MaintenanceAPI.Check", () => {
  it("tells what each member has stored, over every protocol", async (t) => {
    const { url, member } = await openClientPort(t);
    const hash = Uint8Array.of(1, 2, 3);
    const row = (id: bigint, name: string) => ({ id: nodeId(id), name, role: "voter" as const });
    member.report = {
      index: logIndex(12),
      hasMajority: true,
      members: [
        { ...row(1n, "one"), verdict: "agrees", hash, revision: 9 },
        { ...row(2n, "two"), role: "learner", verdict: "differs", hash, revision: 8 },
        { ...row(3n, "three"), verdict: "noAnswer", reason: "silent" },
      ],
    };
    for (const maintenance of [overGrpc(url), overHttp1(url)]) {
      const { index, hasMajority, members, header } = await maintenance.check({});
      assert.deepEqual([index, hasMajority, header?.leader], [12n, true, "one"]);
      const { AGREES, DIFFERS, NO_ANSWER } = CheckVerdict;
      assert.deepEqual(
        members.map((one) => [one.id, one.memberId, one.isLearner, one.verdict]),
        [
          ["one", 1n, false, AGREES],
          ["two", 2n, true, DIFFERS],
          ["three", 3n, false, NO_ANSWER],
        ],
      );
      assert.deepEqual(
        members.map((one) => [[...one.hash], one.revision, one.reason]),
        [
          [[1, 2, 3], 9n, ""],
          [[1, 2, 3], 8n, ""],
          [[], 0n, "silent"],
        ],
      );
    }
  });

  it("waits for slow members a little less than its caller waits for it", async (t) => {
    const { url, member } = await openClientPort(t);
    await overGrpc(url).check({});
    await overGrpc(url).check({}, { timeoutMs: 2000 });
    const [whenever, limited = Number.NaN] = member.timeouts;
    assert.equal(whenever, undefined);
    assert.ok(limited > 1000 && limited <= 1800, `${String(limited)} of 2000 ms`);
  });

  it("says why there is none", async (t) => {
    const { url, member } = await openClientPort(t);
    member.failure = new DkvError("noLeader", "there is no leader");
    const error = await failureOf(overGrpc(url).check({}));
    assert.deepEqual([error.code, error.rawMessage], [Code.Unavailable, "there is no leader"]);
  });
});

describe("dkv.v1.MaintenanceAPI.Status", () => {
  it("shows how the member is, over every protocol, without asking the others", async (t) => {
    const { url, member } = await openClientPort(t);
    member.hasQuorum = false;
    member.about = { isLearner: true, compactRevision: 7, quotaBytes: 9000, alarms: ["two differs"] };
    for (const maintenance of [overGrpc(url), overHttp1(url)]) {
      const { $typeName, header, ...shown } = await maintenance.status({});
      assert.deepEqual([$typeName, header?.revision], ["dkv.v1.StatusResponse", 1n]);
      assert.deepEqual(shown, {
        id: "one",
        version: "1.2.3",
        isLeader: true,
        isLearner: true,
        compactRevision: 7n,
        dataBytes: 2000n,
        logBytes: 1000n,
        quotaBytes: 9000n,
        alarms: ["two differs"],
      });
    }
    assert.deepEqual(member.timeouts, []);
  });
});
