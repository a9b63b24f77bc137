/**
 * A server that answers every request at once with the same bytes: the least that any server could do.
 *
 * The load generator's own ceiling is measured against it. A process: `fixed-reply.js HOST:PORT BYTES`.
 */
import { createServer, type Socket } from "node:net";
import {
  encodeHeaderBlock,
  type Frame,
  FrameReader,
  frame,
  frameFlag,
  frameHeadBytes,
  frameType,
  initialSettings,
  largestWindowBytes,
  Output,
  preface,
  settingsFrame,
  windowUpdateFrame,
} from "@dkv/http2";
import { frameMessage } from "../grpc/message.ts";

const [address = "", messageBytes = "0"] = process.argv.slice(2);
const [host, port] = address.split(":");
const answer = fixedAnswer(Buffer.alloc(Number(messageBytes), "a"));
createServer({ noDelay: true }, serve).listen(Number(port), host);
process.on("SIGTERM", () => process.exit(0));

function serve(socket: Socket): void {
  const output = new Output((bytes) => void socket.write(bytes));
  let receivedBytes = 0;
  let prefaceLeft = preface.length;
  const reader = new FrameReader((arrived) => {
    if (arrived.type === frameType.settings && (arrived.flags & frameFlag.ack) === 0) {
      output.append(frame({ type: frameType.settings, flags: frameFlag.ack, streamId: 0 }, Buffer.alloc(0)));
    }
    if (arrived.type !== frameType.data) return;
    receivedBytes += arrived.end - arrived.start;
    if ((arrived.flags & frameFlag.endStream) !== 0) reply(output, arrived);
  });
  output.append(settingsFrame([]));
  output.append(windowUpdateFrame(0, largestWindowBytes - initialSettings.windowBytes));
  output.flush();
  socket.on("data", (chunk) => {
    const skipped = Math.min(prefaceLeft, chunk.length);
    prefaceLeft -= skipped;
    reader.accept(chunk.subarray(skipped));
    if (receivedBytes > largestWindowBytes / 2) {
      output.append(windowUpdateFrame(0, receivedBytes));
      receivedBytes = 0;
    }
    output.flush();
  });
  socket.on("error", () => socket.destroy());
}

/** The three frames of an answer differ from call to call in their stream number only. */
function reply(output: Output, { streamId }: Frame): void {
  const offset = output.reserve(answer.bytes.length);
  output.target.set(answer.bytes, offset);
  for (const place of answer.streamIdOffsets) output.target.writeUInt32BE(streamId, offset + place);
}

function fixedAnswer(message: Buffer): {
  readonly bytes: Buffer;
  readonly streamIdOffsets: readonly number[];
} {
  const frames = [
    frame(
      { type: frameType.headers, flags: frameFlag.endHeaders, streamId: 0 },
      encodeHeaderBlock([
        [":status", "200"],
        ["content-type", "application/grpc"],
      ]),
    ),
    frame({ type: frameType.data, flags: 0, streamId: 0 }, frameMessage(message)),
    frame(
      { type: frameType.headers, flags: frameFlag.endHeaders | frameFlag.endStream, streamId: 0 },
      encodeHeaderBlock([["grpc-status", "0"]]),
    ),
  ];
  const streamIdOffsets: number[] = [];
  let offset = 0;
  for (const { length } of frames) {
    streamIdOffsets.push(offset + frameHeadBytes - 4);
    offset += length;
  }
  return { bytes: Buffer.concat(frames), streamIdOffsets };
}
