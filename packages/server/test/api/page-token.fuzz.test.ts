import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, equals, type MessageInitShape } from "@bufbuild/protobuf";
import { damagedMessage, fuzz, readOrRefused } from "@dkv/fuzz";
import { type KeyIntervalSchema, type ListRequest, ListRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import fc from "fast-check";
import { plainSet } from "@dkv/store";
import { plainDelete } from "../../src/api/dkv-v1/commands.ts";
import { ListService } from "../../src/api/dkv-v1/list-service.ts";
import { decodePageToken, encodePageToken } from "../../src/api/dkv-v1/page-token.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { MemberInMemory } from "./member-in-memory.ts";

const key = fc.string({
  unit: fc.constantFrom("a", "b", "ä", "\0", "\u{1f600}"),
  minLength: 1,
  maxLength: 3,
});
const keys = fc.oneof(
  fc.constantFrom("", "a", "b", "ä", "\u{1f600}").map((value) => ({ case: "prefix", value }) as const),
  fc
    .tuple(key, key)
    .filter(([a, b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0)
    .map(([from, before]) => ({ case: "bounds", value: { from, before } }) as const),
);
const writes = fc.array(fc.tuple(key, fc.boolean()), { maxLength: 12 });

interface Row {
  readonly key: string;
  readonly revision: bigint;
}

describe("all pages of a list", () => {
  it("have each key of the interval once, as it was at the first page, whatever is written meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          keys,
          limit: fc.integer({ min: 1, max: 4 }),
          first: writes,
          meanwhile: fc.array(writes, { maxLength: 6 }),
        }),
        async ({ keys: interval, limit, first, meanwhile }) => {
          const member = new MemberInMemory();
          const model = new Map<string, bigint>();
          await write(member, first, model);
          const expected = [...model]
            .filter(([name]) => isMeant(name, interval))
            .map(([name, revision]): Row => ({ key: name, revision }))
            .toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
          const lists = new ListService(member);
          const found: Row[] = [];
          let pageToken = "";
          let pages = 0;
          do {
            const request = create(ListRequestSchema, { keys: { keys: interval }, limit, pageToken });
            const answer = await lists.list(request, undefined);
            assert.ok(answer.found.length <= limit);
            assert.equal(answer.nextPageToken !== "", found.length + answer.found.length < expected.length);
            for (const one of answer.found)
              found.push({ key: Buffer.from(one.key).toString(), revision: BigInt(one.modRevision) });
            pageToken = answer.nextPageToken;
            await write(member, meanwhile[pages] ?? [], model);
            pages += 1;
          } while (pageToken !== "");
          assert.deepEqual(found, expected);
        },
      ),
      { numRuns: 150 },
    );
  });
});

async function write(
  member: MemberInMemory,
  list: readonly (readonly [string, boolean])[],
  model: Map<string, bigint>,
): Promise<void> {
  for (const [name, isSet] of list) {
    const bytes = Buffer.from(name);
    if (isSet) {
      await member.apply({ case: "set", value: plainSet(bytes, bytes) });
      model.set(name, BigInt(member.store.revision));
    } else {
      await member.apply({ case: "delete", value: plainDelete(bytes) });
      model.delete(name);
    }
  }
}

function isMeant(
  name: string,
  interval: NonNullable<MessageInitShape<typeof KeyIntervalSchema>["keys"]>,
): boolean {
  if (interval.case === "prefix") return name.startsWith(interval.value);
  assert.ok(interval.case === "bounds");
  const { from: first = "", before: behind = "" } = interval.value;
  const [bytes, from, before] = [name, first, behind].map((text) => Buffer.from(text));
  assert.ok(bytes && from && before);
  return Buffer.compare(bytes, from) >= 0 && Buffer.compare(bytes, before) < 0;
}

const request = fc
  .record({ keys, limit: fc.nat(5), keysOnly: fc.boolean(), serializable: fc.boolean() })
  .map(({ keys: interval, ...rest }) => create(ListRequestSchema, { keys: { keys: interval }, ...rest }));
const position = fc.record({
  revision: fc.maxSafeNat(),
  lastKey: fc.uint8Array({ minLength: 1, maxLength: 20 }),
});
const clusterId = fc.bigInt(0n, 2n ** 64n - 1n);

describe("a page token", () => {
  it("says for its request, with any limit, what it was made of, and nothing for others or another cluster", () => {
    fc.assert(
      fc.property(
        position,
        request,
        request,
        clusterId,
        clusterId,
        (at, asked, other, cluster, elsewhere) => {
          const pageToken = encodePageToken(at, { clusterId: cluster, request: asked });
          const decode = (clusterOfToken: bigint, one: ListRequest) =>
            decodePageToken({ clusterId: clusterOfToken, request: { ...one, pageToken } });
          const decoded = decode(cluster, asked);
          assert.deepEqual(
            [decoded.revision, Buffer.from(decoded.lastKey)],
            [at.revision, Buffer.from(at.lastKey)],
          );
          assert.deepEqual(decode(cluster, { ...asked, limit: other.limit }), decoded);
          const isOther = !equals(ListRequestSchema, { ...other, limit: asked.limit }, asked);
          if (isOther) assert.throws(() => decode(cluster, other), { code: "invalidRequest" });
          if (elsewhere !== cluster)
            assert.throws(() => decode(elsewhere, asked), { code: "invalidRequest" });
        },
      ),
    );
  });
});

fuzz("page tokens", {
  input: fc.tuple(
    request,
    fc.oneof(
      fc.string(),
      damagedMessage(
        fc
          .tuple(position, request)
          .map(([at, asked]) =>
            Buffer.from(encodePageToken(at, { clusterId: 1n, request: asked }), "base64url"),
          ),
      ).map((bytes) => Buffer.from(bytes).toString("base64url")),
    ),
  ),
  check([asked, pageToken]) {
    const decoded = readOrRefused(
      () => decodePageToken({ clusterId: 1n, request: { ...asked, pageToken } }),
      DkvError,
    );
    if (decoded !== undefined) assert.ok(decoded.lastKey.length > 0 && decoded.revision >= 0);
  },
});
