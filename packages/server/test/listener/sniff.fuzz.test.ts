/** The first bytes of a connection in clear, by which HTTP/2 is told from HTTP/1.1. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import { damaged, fuzz, inPieces } from "@dkv/fuzz";
import { preface } from "@dkv/http2";
import fc from "fast-check";
import { type HttpVersion, sniff } from "../../src/listener/sniff.ts";

const clock = {
  nowMs: () => 0,
  after: () => () => undefined,
  every: () => () => undefined,
  soon: setImmediate,
};
const openings = fc.constantFrom(
  preface,
  Buffer.from("GET / HTTP/1.1\r\n\r\n"),
  Buffer.from("P"),
  Buffer.from("PRX"),
);

fuzz("first bytes of a connection", {
  input: fc.tuple(inPieces(fc.oneof(openings, damaged(openings))), fc.boolean()),
  async check([pieces, endsEarly]) {
    const [client, server] = duplexPair();
    const said = Buffer.concat(pieces);
    const reports: HttpVersion[] = [];
    // A socket is a duplex stream; of what more it is nothing is used here.
    sniff(server as Socket, { clock, timeoutMs: 1 }, (version) => reports.push(version));
    for (const piece of pieces) {
      client.write(piece);
      await new Promise(setImmediate);
    }
    if (endsEarly) client.end();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const opening = said.subarray(0, 4).toString("latin1");
    const isUndecided = "PRI ".startsWith(opening) && opening.length < 4;
    assert.deepEqual(reports, isUndecided ? [] : [opening === "PRI " ? "http2" : "http1"]);
    if (isUndecided) assert.equal(server.destroyed, endsEarly, "who says too little is let go");
    else assert.deepEqual(await everything(server, said.length), said, "nothing is consumed");
    client.destroy();
    server.destroy();
  },
});

/** What the next reader finds. */
async function everything(from: NodeJS.ReadableStream, length: number): Promise<Buffer> {
  const found: Buffer[] = [];
  let bytes = 0;
  while (bytes < length) {
    const chunk = from.read() as Buffer | null;
    if (chunk === null) {
      await new Promise(setImmediate);
      continue;
    }
    found.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(found);
}
