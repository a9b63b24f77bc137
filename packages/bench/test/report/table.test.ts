import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRow, formatTable, ratioToEtcd } from "../../src/report/table.ts";
import type { Row } from "../../src/workload/row.ts";

const mebibyte = 1024 ** 2;

function row(parts: Partial<Row> & Pick<Row, "system" | "callsPerSecond">): Row {
  return {
    work: "set",
    clients: 64,
    connections: 4,
    seconds: 5,
    calls: parts.callsPerSecond * 5,
    meanMs: 4,
    p50Ms: 3.456,
    p99Ms: 12.34,
    p999Ms: 20,
    maxMs: 30,
    errors: 0,
    errorKinds: {},
    members: [
      { name: "a", cpuSeconds: 2, residentBytes: { start: mebibyte, end: 2 * mebibyte, max: 90 * mebibyte } },
      { name: "b", cpuSeconds: 3, residentBytes: undefined },
    ],
    benchCpuSeconds: 0.5,
    idleCpuSeconds: 0.1,
    ...parts,
  };
}

test("a row is compared with etcd's row of the same work and clients, and no other", () => {
  const dkv = row({ system: "dkv", callsPerSecond: 12_000 });
  const etcd = row({ system: "etcd", callsPerSecond: 8_000 });
  const other = row({ system: "etcd", callsPerSecond: 1, clients: 1 });
  assert.equal(ratioToEtcd(dkv, [other, dkv, etcd]), 1.5);
  assert.equal(ratioToEtcd(etcd, [dkv, etcd]), undefined);
  assert.equal(ratioToEtcd(dkv, [dkv, other]), undefined);
});

test("the table shows rate, ratio, latencies, errors, memory and cores", () => {
  const rows = [
    row({ system: "dkv", callsPerSecond: 12_000, errors: 3, errorKinds: { "stream reset, error 7": 3 } }),
    row({ system: "etcd", callsPerSecond: 8_000 }),
  ];
  const [head = "", dkv = "", etcd = "", ...notes] = formatTable(rows).split("\n");
  assert.deepEqual(head.split(/ {2,}/), [
    "work",
    "clients",
    "system",
    "calls/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "errors",
    "RSS MiB",
    "cores",
    "bench",
  ]);
  assert.deepEqual(dkv.split(/ +/), [
    "set",
    "64",
    "dkv",
    "12,000",
    "1.50x",
    "3.46",
    "12.3",
    "20.0",
    "30.0",
    "3",
    "90",
    "1.00",
    "0.10",
  ]);
  assert.deepEqual(etcd.split(/ +/), [
    "set",
    "64",
    "etcd",
    "8,000",
    "3.46",
    "12.3",
    "20.0",
    "30.0",
    "0",
    "90",
    "1.00",
    "0.10",
  ]);
  assert.ok(notes.includes("The idle cluster took at most 0.02 cores."));
  assert.ok(notes.includes("errors, dkv set 64 clients: 3 x stream reset, error 7"));
});

test("errors shout in the line of a row", () => {
  assert.equal(
    formatRow(row({ system: "dkv", callsPerSecond: 12_000, errors: 3 })),
    "dkv set 64 clients: 12,000/s, p50 3.46 ms, p99 12.3 ms, 3 ERRORS",
  );
});
