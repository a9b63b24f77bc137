/** Random operations. The revisions in them depend on when they are done: each is a sketch until then. */
import { type Compare, CompareRelation, RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import type { ByteString } from "../../src/bytes.ts";
import type { LoggedOperation, Operation, RangeOperation } from "../../src/operation.ts";
import {
  check,
  checkpoint,
  compact,
  compare,
  del,
  expire,
  grant,
  range,
  removeHistory,
  revoke,
  set,
  setIf,
  txn,
} from "../commands.ts";
import type { Now } from "./world.ts";

export type Sketch<Drawn> = (now: Now) => Drawn;

/** Few, so that they meet; with the bytes at which escapes and ends are. */
export const someKey: fc.Arbitrary<ByteString> = fc.constantFrom(
  "",
  "\0",
  "\0\0",
  "a",
  "a\0",
  "a\0\0",
  "a\0\xff",
  "a\xff",
  "b",
  "\xff",
  "\xff\xff",
);
const someEnd = fc.oneof(someKey, fc.constantFrom("\0", "a\x01", "b\0"));
export const someInterval = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(someKey, fc.constant("")) },
  { weight: 2, arbitrary: fc.tuple(someKey, someEnd) },
  { weight: 1, arbitrary: fc.constant(["", "\0"] as const) },
);
const someValue = fc.constantFrom("", "1", "2", "\0", "\xff", "x".repeat(40));
export const someLease = fc.constantFrom(1n, 2n, -1n, 2n ** 63n - 1n, -(2n ** 63n));
const someTtl = fc.bigInt({ min: 1n, max: 9n });

/** Rarely true. */
const seldom = fc.nat(4).map((one) => one === 0);

const least = (value: number): number => Math.max(0, value);

/** Of one that there is or was, for the most part; 0 for now. */
const someRevision: fc.Arbitrary<Sketch<number>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(() => 0) },
  { weight: 3, arbitrary: fc.nat(12).map((back) => (now: Now) => now.revision - back) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: -1, max: 2 }).map((more) => (now: Now) => now.compactRevision + more),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-1, 1).map((more) => (now: Now) => (more < 0 ? -1 : now.revision + 1)),
  },
);
const someBound: fc.Arbitrary<Sketch<number>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(() => 0) },
  { weight: 1, arbitrary: fc.nat(12).map((back) => (now: Now) => least(now.revision - back)) },
);

export const someRange: fc.Arbitrary<Sketch<RangeOperation>> = fc
  .record({
    interval: someInterval,
    revision: someRevision,
    limit: fc.constantFrom(0, 0, 1, 2, 5),
    order: fc.constantFrom(RangeOrder.UNSPECIFIED, RangeOrder.ASCENDING, RangeOrder.DESCENDING),
    target: fc.constantFrom(
      RangeTarget.UNSPECIFIED,
      RangeTarget.VERSION,
      RangeTarget.CREATE_REVISION,
      RangeTarget.MOD_REVISION,
      RangeTarget.VALUE,
    ),
    keysOnly: seldom,
    countOnly: seldom,
    bounds: fc.tuple(someBound, someBound, someBound, someBound),
  })
  .map(({ interval: [key, end], revision, limit, bounds, ...flags }) => (now: Now) => {
    const [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision] = bounds.map((one) =>
      BigInt(one(now)),
    );
    return range(key, end, {
      ...flags,
      revision: BigInt(revision(now)),
      limit: BigInt(limit),
      minModRevision: minModRevision ?? 0n,
      maxModRevision: maxModRevision ?? 0n,
      minCreateRevision: minCreateRevision ?? 0n,
      maxCreateRevision: maxCreateRevision ?? 0n,
    });
  });

/** Of keys in their order, as for a page. */
export const somePage: fc.Arbitrary<Sketch<RangeOperation>> = fc
  .record({
    interval: someInterval,
    revision: someRevision,
    limit: fc.constantFrom(0, 1, 2, 5),
    keysOnly: seldom,
  })
  .map(
    ({ interval: [key, end], revision, limit, keysOnly }) =>
      (now: Now) =>
        range(key, end, { revision: BigInt(revision(now)), limit: BigInt(limit), keysOnly }),
  );

const someSet = fc
  .record({
    key: someKey,
    value: someValue,
    lease: fc.oneof({ weight: 2, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: someLease }),
    ttl: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: someTtl }),
    wantPrevious: seldom,
    keepValue: seldom,
    keepLease: seldom,
  })
  .map(({ key, value, lease, ttl, ...flags }) => () => {
    // Doors let nobody grant what the key already has.
    const grantTtl = flags.keepLease ? 0n : ttl;
    return set(key, value, { lease, grantTtl, ...flags });
  });

const someSetIf = fc
  .record({
    key: someKey,
    value: someValue,
    lease: fc.oneof({ weight: 2, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: someLease }),
    grantTtl: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: someTtl }),
    /** How long ago the key has to have been changed. */
    ago: fc.nat(6),
  })
  .map(
    ({ key, value, ago, ...flags }) =>
      ({ revision }: Now) =>
        setIf([key, value], BigInt(least(revision - ago)), flags),
  );

const someDelete = fc.tuple(someInterval, fc.boolean()).map(
  ([[key, end], wantPrevious]) =>
    () =>
      del(key, end, wantPrevious),
);

const relation = fc.constantFrom(
  CompareRelation.UNSPECIFIED,
  CompareRelation.GREATER,
  CompareRelation.LESS,
  CompareRelation.NOT_EQUAL,
);
const someTarget = fc.oneof(
  fc.nat(3).map((version) => () => ({ case: "version" as const, value: BigInt(version) })),
  fc
    .tuple(fc.constantFrom("createRevision" as const, "modRevision" as const), someBound)
    .map(([name, revision]) => (now: Now) => ({ case: name, value: BigInt(revision(now)) })),
  someValue.map((value) => () => ({ case: "value" as const, value })),
  fc.oneof(someLease, fc.constant(0n)).map((value) => () => ({ case: "lease" as const, value })),
  fc.constant(() => undefined),
);
const someCompare: fc.Arbitrary<Sketch<Compare>> = fc.tuple(someInterval, relation, someTarget).map(
  ([[key, end], related, target]) =>
    (now: Now) =>
      compare(key, related, target(now), end),
);

type Part = Operation | RangeOperation | undefined;

const done =
  <Drawn>(sketches: readonly Sketch<Drawn>[]): Sketch<readonly Drawn[]> =>
  (now) =>
    sketches.map((sketch) => sketch(now));

/** With others inside, down to a depth. */
function someTxn(depth: number): fc.Arbitrary<Sketch<Extract<LoggedOperation, { case: "txn" }>>> {
  const plain = [
    { weight: 4, arbitrary: someRange },
    { weight: 5, arbitrary: someSet },
    { weight: 2, arbitrary: someDelete },
    { weight: 1, arbitrary: fc.constant(() => undefined) },
  ];
  const part: fc.Arbitrary<Sketch<Part>> = fc.oneof(
    ...(depth === 0 ? plain : [...plain, { weight: 3, arbitrary: someTxn(depth - 1) }]),
  );
  const parts = fc.array(part, { maxLength: 4, size: "max" });
  return fc.tuple(fc.array(someCompare, { maxLength: 2, size: "max" }), parts, parts).map(
    ([compares, success, failure]) =>
      (now) =>
        txn({ compares: done(compares)(now), success: done(success)(now), failure: done(failure)(now) }),
  );
}

/** Many keys at once, which no other operation touches by their names. */
const someBurst = fc.tuple(fc.integer({ min: 1, max: 40 }), someValue).map(
  ([count, value]) =>
    () =>
      txn({ success: Array.from({ length: count }, (_, at) => set(`c${String(at + 10)}`, value)) }),
);

/** What a leader had applied when it decided something: not always all that stands before it in the log. */
const someBacklog = fc.constantFrom(0, 0, 1, 2, 5, 20);

const someExpiry = fc.tuple(fc.array(someLease, { maxLength: 3 }), fc.boolean(), someBacklog).map(
  ([ids, isLate, backlog]) =>
    (now: Now) =>
      expire(ids, isLate ? now.term - 1 : now.term, least(now.index - backlog)),
);

export const someOperation: fc.Arbitrary<Sketch<LoggedOperation>> = fc.oneof(
  { weight: 10, arbitrary: someSet },
  { weight: 4, arbitrary: someSetIf },
  { weight: 4, arbitrary: someDelete },
  { weight: 10, arbitrary: someTxn(2) },
  { weight: 1, arbitrary: someBurst },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.oneof({ weight: 9, arbitrary: someLease }, fc.constant(0n)), someTtl).map(
      ([id, ttl]) =>
        () =>
          grant(id, ttl),
    ),
  },
  { weight: 1, arbitrary: someLease.map((id) => () => revoke(id)) },
  { weight: 2, arbitrary: someExpiry },
  {
    weight: 1,
    arbitrary: fc.tuple(someLease, someTtl, someBacklog).map(
      ([id, ttl, backlog]) =>
        (now: Now) =>
          checkpoint(id, ttl, least(now.index - backlog)),
    ),
  },
  { weight: 3, arbitrary: fc.nat(9).map((back) => (now: Now) => compact(now.revision + 1 - back)) },
  { weight: 5, arbitrary: fc.constant(() => removeHistory) },
  { weight: 1, arbitrary: fc.constant(() => check) },
);
