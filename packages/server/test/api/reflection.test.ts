import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "@dkv/protocol/grpc/reflection/v1/reflection";
import { ServerReflection as ServerReflectionAlpha } from "@dkv/protocol/grpc/reflection/v1alpha/reflection";
import { type ClientPort, openClientPort } from "./client-port.ts";
import { connectHttp2, frame } from "./raw-http2.ts";

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

describe("server reflection", () => {
  for (const version of ["v1", "v1alpha"] as const) {
    it(`shows a client of ${version} the whole schema`, async (t) => {
      const { url } = await openClientPort(t);
      const ask = (...questions: Question[]): Promise<Answer[]> => questionsTo(url, version, questions);

      const [services, file, byName, nothing] = await ask(
        { case: "listServices", value: "" },
        { case: "fileContainingSymbol", value: "dkv.v1.DkvAPI" },
        { case: "fileByFilename", value: "dkv/v1/dkv.proto" },
        { case: "fileContainingSymbol", value: "dkv.v1.Nothing" },
      );
      assert.equal(services?.case, "listServicesResponse");
      assert.deepEqual(
        services.value.service.map(({ name }) => name),
        [
          "dkv.v1.DkvAPI",
          "dkv.v1.LeaseAPI",
          "dkv.v1.MaintenanceAPI",
          "dkv.v1.MembershipAPI",
          "etcdserverpb.Auth",
          "etcdserverpb.Cluster",
          "etcdserverpb.KV",
          "etcdserverpb.Lease",
          "etcdserverpb.Maintenance",
          "etcdserverpb.Watch",
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
          "v3electionpb.Election",
          "v3lockpb.Lock",
        ],
      );
      assert.deepEqual(byName, file);
      assert.equal(file?.case, "fileDescriptorResponse");
      const files = file.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
      // A set has what is imported first, an answer what was asked for.
      const set = create(FileDescriptorSetSchema, { file: files.toReversed() });
      const registry = createFileRegistry(set);
      assert.deepEqual(
        registry.getService("dkv.v1.DkvAPI")?.methods.map(({ name }) => name),
        ["Get", "Set", "Delete", "List", "Watch", "Txn", "Compact", "Pipe"],
      );
      assert.equal(nothing?.case, "errorResponse");
      assert.equal(nothing.value.errorCode, Code.NotFound);
    });
  }

  it("finds the file of methods, messages, fields and enums", async (t) => {
    const { url } = await openClientPort(t);
    const symbols = ["dkv.v1.DkvAPI.Get", "dkv.v1.GetRequest", "dkv.v1.GetRequest.key", "dkv.v1.Retry"];
    const questions = symbols.map((value) => ({ case: "fileContainingSymbol" as const, value }));
    const answers = await questionsTo(url, "v1", questions);
    assert.deepEqual(
      answers.map((answer) => answer.case),
      symbols.map(() => "fileDescriptorResponse"),
    );
  });

  it("says that there are no extensions, and that a question is missing", async (t) => {
    const { url } = await openClientPort(t);
    const [numbers, unknown, extension, nothing] = await questionsTo(url, "v1", [
      { case: "allExtensionNumbersOfType", value: "dkv.v1.GetRequest" },
      { case: "allExtensionNumbersOfType", value: "dkv.v1.Nothing" },
      {
        case: "fileContainingExtension",
        value: { containingType: "dkv.v1.GetRequest", extensionNumber: 100 },
      },
      { case: undefined },
    ]);
    assert.deepEqual(numbers?.case === "allExtensionNumbersResponse" && numbers.value.extensionNumber, []);
    const codes = [unknown, extension, nothing].map(
      (answer) => answer?.case === "errorResponse" && answer.value.errorCode,
    );
    assert.deepEqual(codes, [Code.NotFound, Code.NotFound, Code.InvalidArgument]);
  });
});

describe("a question of reflection", () => {
  const listServices = frame(Buffer.from([0x3a, 0]));

  const open = async (t: TestContext, { url }: ClientPort): Promise<ClientHttp2Stream> => {
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    const path = `/${ServerReflection.typeName}/ServerReflectionInfo`;
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
    stream.on("error", () => undefined);
    return stream;
  };

  it("may come in any pieces, after any pause", async (t) => {
    const stream = await open(t, await openClientPort(t, { bodyTimeoutMs: 100 }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const byte of listServices) {
      await new Promise((resolve) => stream.write(Buffer.from([byte]), resolve));
    }
    await once(stream, "data");
    await new Promise((resolve) => setTimeout(resolve, 200));
    stream.write(Buffer.concat([listServices, listServices]));
    await once(stream, "data");
    assert.equal(stream.closed, false);
  });

  it("is refused when it announces more than a question needs", async (t) => {
    const stream = await open(t, await openClientPort(t));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(3_000_000, 1);
    stream.write(prefix);
    const trailers = once(stream, "trailers");
    stream.resume();
    const [{ "grpc-status": status, "grpc-message": message }] = await trailers;
    assert.equal(status, String(Code.ResourceExhausted));
    assert.match(message, /message is too large: it may have 65536 bytes/);
  });

  it("is ended when it has begun and does not come", async (t) => {
    const stream = await open(t, await openClientPort(t, { bodyTimeoutMs: 100 }));
    stream.write(listServices.subarray(0, 6));
    await once(stream, "close");
    assert.equal(stream.rstCode, 8);
  });
});

/**
 * Asks all questions on one stream. The versions differ in the names of their types only, so the path
 * alone tells them apart.
 */
async function questionsTo(
  url: string,
  version: "v1" | "v1alpha",
  questions: readonly Question[],
): Promise<Answer[]> {
  const { serverReflectionInfo } = ServerReflection.method;
  const parent = version === "v1" ? ServerReflection : ServerReflectionAlpha;
  async function* requests(): AsyncGenerator<MessageInitShape<typeof ServerReflectionRequestSchema>> {
    for (const messageRequest of questions) yield { host: "here", ...(messageRequest && { messageRequest }) };
  }
  const transport = createGrpcTransport({ baseUrl: url });
  const response = await transport.stream(
    { ...serverReflectionInfo, parent },
    undefined,
    undefined,
    undefined,
    requests(),
  );
  const answers: Answer[] = [];
  for await (const { validHost, messageResponse } of response.message) {
    assert.equal(validHost, "here");
    answers.push(messageResponse);
  }
  return answers;
}
