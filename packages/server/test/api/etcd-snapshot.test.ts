/** The files that clients of etcd get as snapshots, read here as bbolt reads them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { Permission_Type as Type, RoleSchema, UserSchema } from "@dkv/protocol/authpb/auth";
import { encodePosition, positionKey } from "@dkv/store";
import { bboltFile, type FileEntry } from "../../src/api/etcd-v3/snapshot/file.ts";
import { logIn, openRuled } from "./auth/etcd-users.ts";
import { addUser, allow, change } from "./auth/rules.ts";
import { bytes, type EtcdClient, openEtcd, putOp, textOf, ways } from "./etcd-client.ts";
import type { MemberInMemory } from "./member-in-memory.ts";

const pageBytes = 4096;

interface Read {
  /** By table, in the order of the file. */
  readonly tables: Map<string, (readonly [key: string, value: Buffer])[]>;
  /** Each page that was come by. */
  readonly pages: number[];
}

function read(file: Buffer): Read {
  const metas = [0, 1].map((page) => file.subarray(page * pageBytes + 16, page * pageBytes + 80));
  for (const [number, meta] of metas.entries()) {
    assert.deepEqual(
      [meta.readUInt32LE(0), meta.readUInt32LE(4), meta.readUInt32LE(8)],
      [0xed0cdaed, 2, pageBytes],
    );
    assert.equal(meta.readBigUInt64LE(48), BigInt(number));
    assert.equal(meta.readBigUInt64LE(40), BigInt(file.length / pageBytes));
  }
  const pages = [0, 1, Number(metas[0]?.readBigUInt64LE(32))];
  const root = Number(metas[0]?.readBigUInt64LE(16));
  const tables: Read["tables"] = new Map();
  for (const [name, value] of elementsAt(file, root, pages)) {
    const top = Number(value.readBigUInt64LE(0));
    assert.equal(top > 0 || value.readUInt16LE(26) === 0, true, "a table within its name is empty");
    tables.set(name, top === 0 ? [] : elementsAt(file, top, pages));
  }
  return { tables, pages };
}

function elementsAt(file: Buffer, page: number, pages: number[]): (readonly [string, Buffer])[] {
  const start = page * pageBytes;
  assert.equal(file.readBigUInt64LE(start), BigInt(page));
  const [kind, count, more] = [
    file.readUInt16LE(start + 8),
    file.readUInt16LE(start + 10),
    file.readUInt32LE(start + 12),
  ];
  for (let each = page; each <= page + more; each += 1) pages.push(each);
  const end = start + (1 + more) * pageBytes;
  const found: (readonly [string, Buffer])[] = [];
  for (let at = start + 16; at < start + 16 + 16 * count; at += 16) {
    const isBranch = kind === 1;
    const keyAt = at + file.readUInt32LE(isBranch ? at : at + 4);
    const keyEnd = keyAt + file.readUInt32LE(isBranch ? at + 4 : at + 8);
    const key = file.toString("latin1", keyAt, keyEnd);
    if (isBranch) {
      const below = elementsAt(file, Number(file.readBigUInt64LE(at + 8)), pages);
      assert.equal(below[0]?.[0], key, "a branch says what is first below it");
      found.push(...below);
    } else {
      const valueEnd = keyEnd + file.readUInt32LE(at + 12);
      assert.equal(valueEnd <= end, true, "what a page has is on it");
      found.push([key, file.subarray(keyEnd, valueEnd)]);
    }
  }
  return found;
}

async function written(entries: readonly FileEntry[], batch: number): Promise<Buffer> {
  const file = await bboltFile(["b", "a", "none"], async function* () {
    for (let at = 0; at < entries.length; at += batch)
      yield await Promise.resolve(entries.slice(at, at + batch));
  });
  const pieces: Buffer[] = [];
  for await (const piece of file.pieces()) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  assert.equal(whole.length, file.bytes);
  return whole;
}

describe("a bbolt file", () => {
  for (const count of [0, 1, 50, 20_000])
    it(`has all of ${String(count)} entries in their order, on pages that are each used once`, async () => {
      const sizes = [0, 10, 3000, 9000, 70];
      const key = (at: number): string => String(at).padStart(20, "0");
      const entries = Array.from({ length: count }, (_, at) => ({
        table: at < count / 2 ? "a" : "b",
        key: Buffer.from(key(at)),
        value: Buffer.alloc(sizes[at % (count > 1000 ? 2 : 5)] ?? 0, at),
      }));
      const { tables, pages } = read(await written(entries, 7));
      assert.deepEqual([...tables.keys()], ["a", "b", "none"]);
      assert.deepEqual(
        [...(tables.get("a") ?? []), ...(tables.get("b") ?? [])],
        entries.map((entry) => [entry.key.toString(), entry.value]),
      );
      assert.deepEqual(tables.get("none"), []);
      pages.sort((a, b) => a - b);
      assert.deepEqual(
        pages,
        pages.map((_, at) => at),
      );
    });
});

/** Has the member give out what it has applied. */
function saveAll(member: MemberInMemory): void {
  const { store, disk } = member;
  disk.write(store.takeChanges());
  store.persisted();
  const { appliedIndex, revision } = store;
  member.records = async function* () {
    const applied = encodePosition({ appliedIndex, appliedTerm: 3, revision });
    yield [positionKey, applied] as const;
    for await (const batch of disk.scan({ from: Uint8Array.of(0x11), before: Uint8Array.of(0x20) }))
      yield* batch;
  };
}

async function snapshotBy({ snapshot }: EtcdClient["maintenance"]): Promise<Buffer> {
  const blobs: Uint8Array[] = [];
  let remaining: bigint | undefined;
  for await (const answer of snapshot({})) {
    blobs.push(answer.blob);
    remaining = answer.remainingBytes;
  }
  assert.equal(remaining, 0n);
  const digest = blobs.pop() ?? new Uint8Array();
  const file = Buffer.concat(blobs);
  assert.deepEqual(Buffer.from(digest), createHash("sha256").update(file).digest());
  return file;
}

for (const way of ways)
  describe(`Snapshot of etcd, ${way}`, () => {
    it("is a file with the history, the leases and the position, and its SHA-256", async (t) => {
      const { maintenance, member, kv, lease } = await openEtcd(t, way);
      await lease.leaseGrant({ TTL: 600n, ID: 7n });
      await kv.put({ key: bytes("a"), value: bytes("1"), lease: 7n });
      await kv.txn({ success: [putOp("b", "2"), putOp("c", "x".repeat(50_000))] });
      await kv.deleteRange({ key: bytes("a") });
      await kv.compact({ revision: 2n, physical: true });
      const { appliedIndex } = member.store;
      saveAll(member);
      const { tables } = read(await snapshotBy(maintenance));
      const hexOf = (table: string): string[] =>
        (tables.get(table) ?? []).map(([key]) => Buffer.from(key, "latin1").toString("hex"));
      const place = (main: number, sub: number): string =>
        `${main.toString(16).padStart(16, "0")}5f${sub.toString(16).padStart(16, "0")}`;
      assert.deepEqual(hexOf("key"), [place(2, 0), place(3, 0), place(3, 1), `${place(4, 0)}74`]);
      assert.deepEqual(hexOf("lease"), ["0000000000000007"]);
      assert.equal(tables.get("lease")?.[0]?.[1].toString("hex"), "080710d804");
      assert.deepEqual(
        tables.get("meta")?.map(([name, value]) => [name, value.toString("hex")]),
        [
          ["consistent_index", appliedIndex.toString(16).padStart(16, "0")],
          ["finishedCompactRev", place(2, 0)],
          ["scheduledCompactRev", place(2, 0)],
          ["term", "0000000000000003"],
        ],
      );
      assert.equal(member.openSnapshots, 0);
    });
  });

it("a snapshot of etcd has users and roles, in the order of names as bytes, and their force", async (t) => {
  const port = await openRuled(t);
  const { member } = port;
  // As UTF-16 the second one comes first.
  for (const name of ["\uff21", "\u{10000}"]) await addUser(member, name);
  await change(member, { case: "addUser", value: { name: "cert", noPassword: true } });
  await allow(member, "poor", { kind: "read", key: "a", rangeEnd: "b" });
  await allow(member, "poor", { kind: "both", key: "c" });
  await allow(member, "poor", { kind: "write", key: "d", rangeEnd: "\0" });
  saveAll(member);
  const { tables } = read(await snapshotBy((await logIn(port, "root")).maintenance));
  assert.deepEqual(tables.get("auth"), [
    ["authEnabled", Buffer.of(1)],
    ["authRevision", Buffer.from(member.auth.revision.toString(16).padStart(16, "0"), "hex")],
  ]);
  const users = (tables.get("authUsers") ?? []).map(([key, value]) => {
    const { name, password, roles, options } = fromBinary(UserSchema, value);
    assert.equal(textOf(name), key);
    return [Buffer.from(name).toString(), textOf(password).slice(0, 7), roles, options?.noPassword];
  });
  assert.deepEqual(users, [
    ["cert", "", [], true],
    ["poor", "$2b$04$", ["poor"], false],
    ["root", "$2b$04$", ["root"], false],
    ["\uff21", "$2b$04$", [], false],
    ["\u{10000}", "$2b$04$", [], false],
  ]);
  const roles = (tables.get("authRoles") ?? []).map(([key, value]) => {
    const { name, keyPermission } = fromBinary(RoleSchema, value);
    assert.equal(textOf(name), key);
    return [
      key,
      ...keyPermission.map(({ permType, ...one }) => [permType, textOf(one.key), textOf(one.rangeEnd)]),
    ];
  });
  assert.deepEqual(roles, [
    ["poor", [Type.READ, "a", "b"], [Type.READWRITE, "c", ""], [Type.WRITE, "d", "\0"]],
    ["root"],
  ]);
});
