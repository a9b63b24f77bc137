/** The JSON gateway: what each answer is, byte for byte, was seen of etcd. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { makeCertificates } from "@dkv/certificates";
import { refusal } from "../../src/api/etcd-v3/gateway/refusals.ts";
import { fieldsOf } from "../../src/api/etcd-v3/gateway/terms.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { openClientPort, type PortOptions } from "./client-port.ts";
import { base64, overHttp1, overHttp2, type Post } from "./json-client.ts";

const header = (revision: number): string =>
  `"header":{"cluster_id":"18364758544493064720","member_id":"9223372036854775809","revision":"${String(
    revision,
  )}","raft_term":"3"}`;

async function open(t: TestContext, options: PortOptions = {}) {
  const port = await openClientPort(t, options);
  const post = overHttp1(port.url);
  /** The text of an answer that is well, or status and text of a refusal. */
  const said = async (path: string, body?: unknown, fields?: Record<string, string>): Promise<string> => {
    const { status, text } = await post(path, body, fields);
    return status === 200 ? text : `${String(status)} ${text}`;
  };
  return { ...port, post, said };
}

const refused = (status: number, code: number, message: string): string =>
  `${String(status)} ${JSON.stringify({ error: message, message, code })}`;

describe("the JSON gateway", () => {
  it("answers over HTTP/1.1 and HTTP/2, in clear and with TLS, under all of its roots", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-gateway-"));
    t.after(() => {
      rmSync(directory, { recursive: true });
    });
    await makeCertificates({ directory, hosts: [] });
    const path = (name: string): string => join(directory, name);
    const ca = readFileSync(path("ca.pem"));
    const files = { certFile: path("server.pem"), keyFile: path("server-key.pem"), trustedCaFile: undefined };
    const clear = await openClientPort(t);
    const secure = await openClientPort(t, { tls: files });
    const ways: readonly Post[] = [
      overHttp1(clear.url),
      overHttp2(clear.url),
      overHttp1(secure.url, ca),
      overHttp2(secure.url, ca),
    ];
    for (const post of ways)
      for (const root of ["/v3", "/v3beta", "/v3alpha"])
        assert.deepEqual(await post(`${root}/kv/range`, { key: base64("k") }), {
          status: 200,
          contentType: "application/json",
          text: `{${header(1)}}`,
        });
  });

  it("writes fields by their names in the definitions, and leaves out what is zero or empty", async (t) => {
    const { said } = await open(t);
    const [key, value] = [base64("foo"), base64("bar")];
    assert.equal(await said("/v3/kv/put", { key, value }), `{${header(2)}}`);
    const kept = `{"key":"Zm9v","create_revision":"2","mod_revision":"2","version":"1","value":"YmFy"}`;
    assert.equal(await said("/v3/kv/range", { key }), `{${header(2)},"kvs":[${kept}],"count":"1"}`);
    assert.equal(
      await said("/v3/kv/txn", {
        compare: [{ key, target: "VERSION", result: "EQUAL", version: 1 }],
        success: [
          { requestPut: { key: "YQ==", prev_kv: true } },
          { request_range: { key, countOnly: true } },
          { request_delete_range: { key: "eA==" } },
          { request_txn: {} },
        ],
      }),
      `{${header(3)},"succeeded":true,"responses":[{"response_put":{"header":{"revision":"3"}}},{"response_range":` +
        `{"header":{"revision":"3"},"count":"1"}},{"response_delete_range":{"header":{"revision":"3"}}},` +
        `{"response_txn":{"header":{},"succeeded":true}}]}`,
    );
    assert.equal(
      await said("/v3/kv/deleterange", { key, prev_kv: true }),
      `{${header(4)},"deleted":"1","prev_kvs":[${kept}]}`,
    );
    const alarm = { action: 1, alarm: "NOSPACE", memberID: "7" };
    assert.match(
      await said("/v3/maintenance/alarm", alarm),
      /"alarms":\[\{"memberID":"7","alarm":"NOSPACE"\}\]\}$/,
    );
  });

  it("reads numbers as numbers or texts, exactly, and enums by name or number", async (t) => {
    const { said, member } = await open(t);
    const granted = `{${header(1)},"ID":"7587883021234567891","TTL":"60"}`;
    assert.equal(await said("/v3/lease/grant", '{"TTL":60,"ID": 7587883021234567891}'), granted);
    const other = '{"TTL":"60","ID":"-7587883021234567893","more":123456789012345678901234567890}';
    assert.match(await said("/v3/lease/grant", other), /"ID":"-7587883021234567893"/);
    assert.deepEqual(await member.leases.list(), [7587883021234567891n, -7587883021234567893n]);
    for (const sort_order of ["DESCEND", 2])
      assert.equal(await said("/v3/kv/range", { key: "Zm9v", sort_order }), `{${header(1)}}`);
    for (const limit of [1.5, "x", 99999999999999999999n, true])
      assert.match(
        await said(
          "/v3/kv/range",
          `{"key":"Zm9v","limit":${typeof limit === "string" ? '"x"' : String(limit)}}`,
        ),
        /^400 .*"code":3\}$/,
      );
  });

  it("takes the first value of a body, none for one that is empty, and passes over what it does not know", async (t) => {
    const { said } = await open(t);
    assert.equal(await said("/v3/kv/range", '{"key":"Zm9v","other":[{}]} and more'), `{${header(1)}}`);
    assert.equal(await said("/v3/kv/range", '{"key":"Zm9v","limit":null}{'), `{${header(1)}}`);
    const noKey = refused(400, 3, "etcdserver: key is not provided");
    for (const body of ["", " ", "null", "{}"]) assert.equal(await said("/v3/kv/range", body), noKey);
    assert.equal(await said("/v3/kv/range", "{"), refused(400, 3, "unexpected EOF"));
    for (const body of ["[]", "1", '"a"', "x", '{"key":"!!"}', '{"key":"a"', "{]", "}", '{"key":1}'])
      assert.match(await said("/v3/kv/range", body), /^400 .*"code":3\}$/, body);
    const deep = (depth: number) => `{"n":1234567890123456789,"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    assert.equal(await said("/v3/kv/range", deep(1999)), noKey);
    assert.equal(await said("/v3/kv/range", deep(2000)), refused(400, 3, "exceeded max depth"));
  });

  it("refuses as etcd does, with the status that goes with the code", async (t) => {
    const { said, member } = await open(t);
    await said("/v3/lease/grant", { ID: 1, TTL: 60 });
    for (const [path, body, status, code, message] of [
      ["/v3/lease/grant", { ID: 1, TTL: 60 }, 412, 9, "etcdserver: lease already exists"],
      ["/v3/kv/lease/revoke", { ID: 2 }, 404, 5, "etcdserver: requested lease not found"],
      [
        "/v3/kv/range",
        { key: "YQ==", revision: 9 },
        400,
        11,
        "etcdserver: mvcc: required revision is a future revision",
      ],
      ["/v3/lock/unlock", {}, 500, 2, "etcdserver: key is not provided"],
      ["/v3/election/leader", { name: "bm8=" }, 500, 2, "election: no leader"],
      ["/v3/auth/enable", {}, 412, 9, "etcdserver: root user does not exist"],
    ] as const)
      assert.equal(await said(path, body), refused(status, code, message));
    member.failure = new DkvError("stopping", "the member is stopping");
    assert.equal(await said("/v3/kv/put", { key: "YQ==" }), refused(503, 14, "etcdserver: server stopped"));
    const escaped = refusal(new ConnectError("<&>\u2028", Code.Aborted));
    assert.deepEqual(
      [escaped.status, escaped.body],
      [409, '{"error":"\\u003c\\u0026\\u003e\\u2028","message":"\\u003c\\u0026\\u003e\\u2028","code":10}'],
    );
  });

  it("answers POST only, and nothing at other paths", async (t) => {
    const { said, url } = await open(t);
    const wrong = await fetch(`${url}/v3/kv/range`);
    assert.deepEqual(
      [wrong.status, wrong.headers.get("allow"), await wrong.text()],
      [405, "POST", "Method Not Allowed\n"],
    );
    for (const path of ["/v3/kv/nothing", "/v3/kv/range/", "/v3/", "/v3/constructor"])
      assert.equal(await said(path), "404 Not Found\n");
    assert.equal(await said("/v4/kv/range"), "404 nothing is served at this path\n");
  });

  it("has messages as large as plain gRPC has, and refuses larger ones in the same words", async (t) => {
    const { said } = await open(t, { maxRequestBytes: 1000 });
    const put = (length: number) =>
      said("/v3/kv/put", { key: "YQ==", value: Buffer.alloc(length).toString("base64") });
    assert.equal(await put(900), `{${header(2)}}`);
    assert.equal(await put(1000), refused(400, 3, "etcdserver: request is too large"));
    assert.equal(
      await put(600_000),
      refused(429, 8, "grpc: received message larger than max (600007 vs. 525288)"),
    );
    assert.match(await put(800_000), /^429 .*larger than max \(\d{7} vs\. 525288\)/);
  });

  it("waits no longer than the client says", async (t) => {
    const { said, member } = await open(t);
    const late = refused(504, 4, "context deadline exceeded");
    const soon = { "grpc-timeout": "50m" };
    member.hasQuorum = false;
    assert.equal(await said("/v3/kv/range", { key: "YQ==" }, { "grpc-timeout": "20m" }), late);
    assert.equal(member.timeouts.at(-1), 20);
    member.hasQuorum = true;
    await said("/v3/lock/lock", { name: "bA==" });
    assert.equal(await said("/v3/lock/lock", { name: "bA==" }, soon), late);
    assert.equal(await said("/v3/kv/range", { key: "YQ==" }, { "grpc-timeout": "0S" }), `{${header(4)}}`);
    const wrong = await said("/v3/kv/range", { key: "YQ==" }, { "grpc-timeout": "x" });
    assert.equal(wrong, refused(400, 3, "invalid grpc-timeout: x"));
  });

  it("gives the method the fields that are meant for it", async (t) => {
    const fields = fieldsOf(
      new Headers({
        authorization: "Bearer x",
        token: "no",
        hasleader: "true",
        "Grpc-Metadata-Token": "yes",
      }),
    );
    assert.deepEqual(
      [fields.get("authorization"), fields.get("token"), fields.get("hasleader") ?? undefined],
      ["Bearer x", "yes", undefined],
    );
    const { said, member } = await open(t);
    member.leader = "";
    const body = { key: "YQ==", serializable: true };
    assert.equal(await said("/v3/kv/range", body), `{${header(1)}}`);
    assert.equal(
      await said("/v3/kv/range", body, { "grpc-metadata-hasleader": "true" }),
      refused(503, 14, "etcdserver: no leader"),
    );
  });

  it("gives up a body that takes too long to come", async (t) => {
    const { url } = await open(t, { bodyTimeoutMs: 50 });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("{"));
      },
    });
    await assert.rejects(fetch(`${url}/v3/kv/range`, { method: "POST", body, duplex: "half" }));
  });
});
