/** Clients that share no code with dkv. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "node:test";
import grpc from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { openClientPort } from "./client-port.ts";

const run = promisify(execFile);
const protos = fileURLToPath(new URL("../../../../proto", import.meta.url));

describe("curl", () => {
  it("sets and gets with JSON over HTTP/1.1", async (t) => {
    const { url } = await openClientPort(t);
    const call = async (method: string, request: unknown): Promise<Record<string, unknown>> => {
      const header = ["--header", "content-type: application/json"];
      const data = ["--data", JSON.stringify(request)];
      const { stdout } = await run("curl", [
        "--silent",
        "--http1.1",
        ...header,
        ...data,
        `${url}/dkv.v1.DkvAPI/${method}`,
      ]);
      return JSON.parse(stdout);
    };
    await call("Set", { key: "k", value: Buffer.from("välue").toString("base64") });
    const { value, header } = await call("Get", { key: "k" });
    assert.equal(Buffer.from(String(value), "base64").toString(), "välue");
    assert.ok(typeof header === "object" && header !== null && "leader" in header);
    assert.equal(header.leader, "one");
    const { code, message } = await call("Get", { key: "missing" });
    assert.deepEqual({ code, message }, { code: "not_found", message: "key not found" });
  });

  it("asks for the health over HTTP/2 without a word before", async (t) => {
    const { url } = await openClientPort(t);
    const { stdout } = await run("curl", [
      "--silent",
      "--http2-prior-knowledge",
      "--write-out",
      "%{http_version}",
      `${url}/health`,
    ]);
    assert.equal(stdout, '{"health":"true","reason":""}\n2');
  });
});

describe("grpc-js", () => {
  it("sets, gets, and understands a refusal", async (t) => {
    const { port, bypassed } = await openClientPort(t);
    const definition = await load("dkv/v1/dkv.proto", { includeDirs: [protos], longs: Number });
    const DkvAPI = grpc.makeClientConstructor(serviceOf(definition["dkv.v1.DkvAPI"]), "DkvAPI");
    const client = new DkvAPI(`127.0.0.1:${String(port)}`, grpc.credentials.createInsecure());
    t.after(() => {
      client.close();
    });
    const call = (method: string, request: unknown, deadlineMs = 5000): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        const done = (error: grpc.ServiceError | null, response: Record<string, unknown>): void => {
          if (error === null) resolve(response);
          else reject(error);
        };
        client[method]?.(request, new grpc.Metadata(), { deadline: Date.now() + deadlineMs }, done);
      });
    const value = Buffer.alloc(100_000, 9);
    await call("set", { key: "k", value });
    assert.deepEqual((await call("get", { key: "k" }))["value"], value);
    await assert.rejects(call("get", { key: "missing" }), {
      code: grpc.status.NOT_FOUND,
      details: "key not found",
    });
    await assert.rejects(call("set", { key: "k", value: Buffer.alloc(4_000_000) }), {
      code: grpc.status.INVALID_ARGUMENT,
      details: "request is too large: key and value may have 1572864 bytes together (--max-request-bytes)",
    });
    assert.equal(bypassed(), 4);
  });
});

function serviceOf(definition: unknown): grpc.ServiceDefinition {
  assert.ok(typeof definition === "object" && definition !== null);
  return definition as grpc.ServiceDefinition;
}
