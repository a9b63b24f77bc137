/** The JSON gateway beside that of a real etcd: the same requests, and the same answers byte for byte. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { freePorts, startChild } from "@dkv/cluster";
import { overHttp1, type Post } from "../api/json-client.ts";
import { memberAt, runningCluster, scratchDirectory } from "./fixture.ts";

const environment = { PATH: "/usr/bin:/bin:/usr/sbin:/usr/local/bin" };
const hasEtcd = await promisify(execFile)("etcd", ["--version"], { env: environment }).then(
  () => true,
  () => false,
);

/** Starts an etcd, which is killed after the test, and resolves with its URL once it serves. */
async function startEtcd(test: TestContext): Promise<string> {
  const directory = scratchDirectory();
  const [url, peerUrl] = (await freePorts(2)).map((port) => `http://127.0.0.1:${String(port)}`);
  const ready = Promise.withResolvers<void>();
  const child = startChild({
    program: "etcd",
    args: [
      "--name=one",
      `--data-dir=${directory}/data`,
      `--listen-client-urls=${String(url)}`,
      `--advertise-client-urls=${String(url)}`,
      `--listen-peer-urls=${String(peerUrl)}`,
      `--initial-advertise-peer-urls=${String(peerUrl)}`,
      `--initial-cluster=one=${String(peerUrl)}`,
    ],
    directory,
    environment,
    onLine: (line) => {
      if (/serving (?:insecure )?client requests|serving client traffic/.test(line)) ready.resolve();
    },
  });
  test.after(async () => {
    child.signal("SIGKILL");
    await child.ended;
  });
  await Promise.race([ready.promise, child.ended.then(() => assert.fail("etcd does not start"))]);
  return String(url);
}

interface Step {
  readonly path: string;
  readonly body: object | string;
  readonly fields?: Readonly<Record<string, string>>;
  /**
   * What is compared: all of it; of a body that is none the status and the code, for each has words of its
   * own; or all of it once both have tidied up behind a call that was given up, which nobody is told of.
   */
  readonly compared?: "all" | "code" | "inTheEnd";
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const step = (path: string, body: object | string = {}, timeout?: string): Step => ({
  path: `/v3/${path}`,
  body,
  ...(timeout !== undefined && { fields: { "grpc-timeout": timeout } }),
});
const malformed = (path: string, body: string): Step => ({ path: `/v3/${path}`, body, compared: "code" });

const [foo, bar] = [base64("foo"), base64("bar")];
const all = { key: "AA==", range_end: "AA==" };
const create = (key: string, more: object = {}) => JSON.stringify({ create_request: { key, ...more } });
const long = "7587883021234567891";

const steps: readonly Step[] = [
  step("kv/range", { key: foo }),
  step("kv/put", { key: foo, value: bar }),
  step("kv/put", { key: foo, value: bar, prev_kv: true }),
  step("kv/range", { key: foo }),
  step("kv/range", `{"key":"${foo}"} and more`),
  step("kv/range", { ...all, sortOrder: "DESCEND", sort_target: "MOD", limit: "1", other: { a: [1] } }),
  step("kv/range", { ...all, count_only: true, sort_order: null }),
  step("kv/range", { key: foo, revision: 99 }),
  step("kv/range"),
  step("kv/range", ""),
  step("kv/range", "null"),
  ...["{", "[]", "1", '"a"', "x", '{"key":"!!"}', '{"key":1}', '{"key":"YQ==","limit":1.5}'].map((body) =>
    malformed("kv/range", body),
  ),
  malformed("kv/range", '{"key":"YQ==","limit":99999999999999999999}'),
  malformed("kv/range", '{"key":"YQ==","serializable":"true"}'),
  malformed("watch", "{"),
  malformed("watch", '{"create_request":{"key":"!!"}}'),
  malformed("election/observe", "{"),
  step("kv/txn", {
    compare: [{ key: foo, target: "VERSION", result: "EQUAL", version: 2 }],
    success: [
      { requestPut: { key: "YQ==", prev_kv: true } },
      { request_range: { key: foo } },
      { request_delete_range: { key: "eA==", prev_kv: true } },
      { request_txn: { compare: [], success: [{ request_range: { key: foo, keys_only: true } }] } },
    ],
  }),
  step("kv/txn", {
    compare: [{ key: foo, target: 3, result: 3, value: bar }],
    failure: [{ request_range: all }],
  }),
  step("kv/txn", { success: [{}] }),
  step("kv/deleterange", { key: "YQ==", prev_kv: true }),
  step("kv/deleterange", { key: "YQ==" }),
  step("kv/nothing"),
  step("kv/range/", { key: foo }),
  { path: "/v3beta/kv/range", body: { key: foo } },
  step("lease/grant", `{"TTL":600,"ID":${long}}`),
  step("lease/grant", { TTL: "600", ID: long }),
  step("lease/grant", { TTL: 600, ID: 171 }),
  step("lease/grant", { TTL: 600, ID: 172 }),
  step("lease/grant", { TTL: "9000000001", ID: 7 }),
  step("lease/keepalive", `{"ID":${long}}{"ID":"171"} {"ID":9}`),
  step("lease/keepalive", ""),
  step("lease/timetolive", { ID: 9 }),
  step("kv/lease/timetolive", { ID: 9 }),
  step("lease/revoke", { ID: 9 }),
  step("kv/lease/revoke", { ID: 9 }),
  step("lease/revoke", { ID: long }),
  step("lock/lock", { name: base64("l"), lease: 171 }),
  step("lock/lock", { name: base64("l"), lease: "171" }),
  step("lock/lock", { name: base64("l"), lease: 172 }, "300m"),
  { ...step("kv/range", all), compared: "inTheEnd" },
  step("lock/lock", { name: base64("l"), lease: 5 }),
  step("lock/lock", { lease: 171 }),
  step("lock/unlock"),
  step("lock/unlock", { key: base64("l/ab") }),
  step("lock/unlock", { key: base64("l/ab") }),
  step("election/campaign", { name: base64("e"), lease: 171, value: base64("one") }),
  step("election/campaign", { name: base64("e"), lease: 171, value: base64("two") }),
  step("election/leader", { name: base64("e") }),
  step("election/leader", { name: base64("nobody") }),
  step("election/campaign", { name: base64("e"), lease: 172, value: base64("three") }, "300m"),
  step("election/campaign", { name: base64("e"), lease: 5 }),
  step("election/proclaim"),
  step("election/resign"),
  step("election/proclaim", { leader: { name: base64("e"), key: base64("e/ab"), rev: 1, lease: 171 } }),
  step("election/resign", { leader: { name: base64("e"), key: base64("e/ab"), rev: 1, lease: 171 } }),
  step("election/observe", { name: base64("e") }, "300m"),
  step("election/observe", { name: base64("nobody") }, "300m"),
  { ...step("kv/range", all), compared: "inTheEnd" },
  step("watch", create("AA==", { ...all, start_revision: 10, prev_kv: true, watch_id: 3 }), "500m"),
  step("watch", create(foo, { range_end: "YQ==" }), "300m"),
  step("watch", `${create(foo)}${create(bar)} {"cancel_request":{"watch_id":0}}`, "300m"),
  step("watch", `${create(foo)}x`, "300m"),
  step("kv/compaction", { revision: 3 }),
  step("kv/compaction", { revision: 3 }),
  step("kv/compaction", { revision: 99 }),
  step("watch", create(foo, { start_revision: 1 }), "300m"),
  step("kv/range", { key: foo, revision: 2 }),
  step("kv/range", { key: foo }, "x"),
  step("kv/range", { key: foo }, "0S"),
  step("kv/put", { key: foo, value: base64("x".repeat(1_600_000)) }),
  step("kv/put", { key: foo, value: base64("x".repeat(2_600_000)) }),
  step("kv/put", { key: foo, ignore_value: true, value: bar }),
  step("maintenance/transfer-leadership", { targetID: 1 }),
  step("maintenance/defragment"),
  step("cluster/member/promote", { ID: 1 }),
  step("cluster/member/remove", { ID: 1 }),
  step("cluster/member/add", { peerURLs: ["x"] }),
];

/**
 * An answer without what depends on who gives it. That its time is up a client of etcd is told by the gateway
 * or by what is behind it, whichever is first, and each has a code of its own.
 */
function shownOf(status: number, text: string): string {
  const same = text
    .replaceAll(/"(cluster_id|member_id|raft_term)":"\d+"/g, '"$1":"0"')
    .replace(/\{"error":.*"context deadline exceeded".*\}$/, "too late");
  return `${same === "too late" ? "" : String(status)} ${same}`;
}

describe("the JSON gateway beside that of etcd", () => {
  it("answers the same", { skip: hasEtcd ? false : "etcd is not installed" }, async (test) => {
    const cluster = await runningCluster(test, "cleartext", { members: 1 });
    const [theirs, ours] = [
      overHttp1(await startEtcd(test)),
      overHttp1(`http://${memberAt(cluster, 0).clientAddress}`),
    ];
    for (const { path, body, fields = {}, compared = "all" } of steps) {
      const [expected, given] = await Promise.all([theirs(path, body, fields), ours(path, body, fields)]);
      const asked = `${path} ${JSON.stringify(body).slice(0, 200)} ${JSON.stringify(fields)}`;
      assert.equal(given.contentType, expected.contentType, asked);
      if (compared === "inTheEnd") {
        const shown = async (post: Post): Promise<string> => {
          const { status, text } = await post(path, body, fields);
          return shownOf(status, text);
        };
        while ((await shown(theirs)) !== (await shown(ours))) await new Promise(setImmediate);
        continue;
      }
      if (compared === "all") {
        assert.equal(shownOf(given.status, given.text), shownOf(expected.status, expected.text), asked);
        continue;
      }
      const code = ({ text }: typeof given): unknown => (JSON.parse(text) as { code: unknown }).code;
      assert.deepEqual([given.status, code(given)], [expected.status, code(expected)], asked);
    }
  });
});
