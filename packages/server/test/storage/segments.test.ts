import assert from "node:assert/strict";
import { test } from "node:test";
import { logIndex } from "@dkv/raft";
import { Regions, type Region } from "../../src/storage/log/regions.ts";
import { Segments, type Segment } from "../../src/storage/log/segments.ts";

const segment = (number: number, after: number): Segment => ({
  number,
  bytes: 1000,
  record: number * 10,
  chain: number,
  after: logIndex(after),
});

/** Four segments, begun after entries 0, 100, 200 and 300. */
function four(): Segments {
  const segments = new Segments();
  for (const number of [1, 2, 3, 4]) segments.add(segment(number, (number - 1) * 100));
  return segments;
}

const beginning = (segments: Segments, limit: number, lastRecord = 1000): number | undefined =>
  segments.beginning(logIndex(limit), lastRecord)?.number;

test("a log can begin at the last segment before which nothing is needed", () => {
  const segments = four();
  assert.deepEqual(
    [0, 99, 100, 199, 200, 299, 300, 1000].map((limit) => beginning(segments, limit)),
    [undefined, undefined, 2, 2, 3, 3, 4, 4],
  );
});

test("a log does not begin at a segment without a record", () => {
  assert.equal(beginning(four(), 300, 39), 3);
  assert.equal(beginning(four(), 300, 40), 4);
});

test("a log does not begin where entries from before were replaced: there would be a gap", () => {
  const segments = four();
  segments.replacedFrom(logIndex(301));
  assert.equal(beginning(segments, 300), 4);
  segments.replacedFrom(logIndex(200));
  assert.equal(beginning(segments, 300), 2);
  segments.add(segment(5, 400));
  assert.equal(beginning(segments, 399), 2);
  assert.equal(beginning(segments, 400), 5);
});

test("what was dropped counts no more", () => {
  const segments = four();
  assert.equal(segments.bytes, 4000);
  assert.deepEqual(segments.dropBefore(3), [1, 2]);
  assert.equal(segments.bytes, 2000);
  assert.equal(beginning(segments, 200), undefined);
  assert.equal(beginning(segments, 300), 4);
});

test("regions of dropped segments are forgotten, and the rest is found as before", () => {
  const regions = new Regions();
  const region = (of: number, first: number): Region => ({
    first: logIndex(first),
    last: logIndex(first + 99),
    segment: of,
    offset: 512,
    end: 1000,
    chain: 0,
  });
  for (const number of [1, 2, 3]) regions.add(region(number, number * 100));
  regions.dropBefore(2);
  assert.equal(regions.find(logIndex(150)), undefined);
  assert.deepEqual(regions.find(logIndex(250)), { region: region(2, 200), before: 300 });
  regions.dropBefore(4);
  assert.equal(regions.find(logIndex(350)), undefined);
  regions.add(region(4, 400));
  assert.equal(regions.find(logIndex(450))?.region.segment, 4);
});
