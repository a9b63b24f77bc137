import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { certificates, runningCluster, scratchDirectory, type Security } from "./fixture.ts";

const run = promisify(execFile);
const protoDirectory = fileURLToPath(new URL("../../../../proto", import.meta.url));

async function isInstalled(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args]).then(
    () => true,
    () => false,
  );
}

const hasPython = await isInstalled("/usr/bin/python3", ["-c", "import grpc, grpc_tools"]);
const hasCurl = await isInstalled("curl", ["--version"]);

const pythonProgram = `
import sys, grpc
from dkv.v1 import dkv_pb2, dkv_pb2_grpc

address, ca = sys.argv[1:3]
if ca:
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(open(ca, "rb").read()))
else:
    channel = grpc.insecure_channel(address)
api = dkv_pb2_grpc.DkvAPIStub(channel)
api.Set(dkv_pb2.SetRequest(key="from python", value=b"\\x00\\xff value"), timeout=10)
assert api.Get(dkv_pb2.GetRequest(key="from python"), timeout=10).value == b"\\x00\\xff value"
assert api.Delete(dkv_pb2.DeleteRequest(key="from python"), timeout=10).deleted
try:
    api.Get(dkv_pb2.GetRequest(key="from python"), timeout=10)
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.NOT_FOUND, error
else:
    raise AssertionError("a missing key is found")
try:
    api.Set(dkv_pb2.SetRequest(key="", value=b""), timeout=10)
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
else:
    raise AssertionError("an empty key is taken")
print("done")
`;

for (const security of ["tls", "cleartext"] as const satisfies readonly Security[]) {
  describe(`clients of other makes, ${security}`, () => {
    it("python's grpcio with stubs made from proto/ sets, gets and deletes", {
      skip: hasPython ? false : "python3-grpcio and python3-grpc-tools are not installed",
    }, async (test) => {
      const cluster = await runningCluster(test, security);
      const directory = scratchDirectory();
      const stubs = [
        "-m",
        "grpc_tools.protoc",
        `-I${protoDirectory}`,
        `--python_out=${directory}`,
        `--grpc_python_out=${directory}`,
        "dkv/v1/dkv.proto",
      ];
      await run("/usr/bin/python3", stubs, { cwd: directory });
      writeFileSync(join(directory, "client.py"), pythonProgram);
      const ca = security === "tls" ? join(await certificates(), "ca.pem") : "";
      for (const member of cluster.members) {
        const { stdout } = await run("/usr/bin/python3", ["client.py", member.clientAddress, ca], {
          cwd: directory,
        });
        assert.equal(stdout, "done\n");
      }
    });

    it("@grpc/grpc-js sets, gets and deletes", async (test) => {
      const cluster = await runningCluster(test, security);
      const [member] = cluster.members;
      assert.ok(member !== undefined);
      const grpc = await import("@grpc/grpc-js");
      const { loadSync } = await import("@grpc/proto-loader");
      const definition = loadSync("dkv/v1/dkv.proto", { includeDirs: [protoDirectory] });
      const service = definition["dkv.v1.DkvAPI"];
      assert.ok(service !== undefined && !("format" in service));
      const Client = grpc.makeClientConstructor(service, "DkvAPI");
      const credentials =
        security === "tls"
          ? grpc.credentials.createSsl(readFileSync(join(await certificates(), "ca.pem")))
          : grpc.credentials.createInsecure();
      const client = new Client(member.clientAddress, credentials);
      test.after(() => {
        client.close();
      });
      const call = (name: string, request: object): Promise<Record<string, unknown>> =>
        new Promise((resolve, reject) => {
          const method: unknown = client[name];
          assert.ok(typeof method === "function");
          method.call(client, request, (error: Error | null, answer: Record<string, unknown>) => {
            if (error === null) resolve(answer);
            else reject(error);
          });
        });
      await call("set", { key: "from grpc-js", value: Buffer.from([0, 255]) });
      assert.deepEqual((await call("get", { key: "from grpc-js" }))["value"], Buffer.from([0, 255]));
      assert.equal((await call("delete", { key: "from grpc-js" }))["deleted"], true);
      await assert.rejects(call("get", { key: "from grpc-js" }), { code: grpc.status.NOT_FOUND });
    });

    it("curl with JSON over HTTP/1.1 sets and gets", {
      skip: hasCurl ? false : "curl is not installed",
    }, async (test) => {
      const cluster = await runningCluster(test, security);
      const [member] = cluster.members;
      assert.ok(member !== undefined);
      const scheme = security === "tls" ? "https" : "http";
      const trust = security === "tls" ? ["--cacert", join(await certificates(), "ca.pem")] : [];
      const curl = async (path: string, body?: object): Promise<{ status: number; json: unknown }> => {
        const data =
          body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
        const url = `${scheme}://${member.clientAddress}${path}`;
        const { stdout } = await run("curl", [
          "-sS",
          "--http1.1",
          "-w",
          "\n%{http_code}",
          ...trust,
          ...data,
          url,
        ]);
        const cut = stdout.lastIndexOf("\n");
        return { status: Number(stdout.slice(cut + 1)), json: JSON.parse(stdout.slice(0, cut)) };
      };
      const value = Buffer.from("value").toString("base64");
      assert.equal((await curl("/dkv.v1.DkvAPI/Set", { key: "from curl", value })).status, 200);
      const found = await curl("/dkv.v1.DkvAPI/Get", { key: "from curl" });
      assert.equal(found.status, 200);
      assert.equal((found.json as { value: string }).value, value);
      assert.equal((await curl("/dkv.v1.DkvAPI/Get", { key: "missing" })).status, 404);
      assert.equal((await curl("/dkv.v1.DkvAPI/Set", { key: "", value })).status, 400);
      const large = await curl("/dkv.v1.DkvAPI/Set", { key: "large", value: "A".repeat(100_000) });
      assert.equal(large.status, 200);
      assert.equal((await curl("/health")).status, 200);
    });
  });
}
