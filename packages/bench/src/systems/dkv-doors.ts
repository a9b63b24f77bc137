import type { AnswerReader, DoorName, SocketMethod } from "../workload/socket-method.ts";

const lineFeed = 0x0a;
const setCode = 1;
const done = 1;

/** The protocols of lines and of bytes that dkv speaks on ports of their own. */
export const dkvDoors: Readonly<Record<DoorName, SocketMethod>> = {
  text: { door: "text", encode: encodeTextSet, setsOnce: true, reader: textReader },
  binary: { door: "binary", encode: encodeBinarySet, setsOnce: false, reader: binaryReader },
};

/** `set KEY SECONDS BYTES`, and the value. */
function encodeTextSet(key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`set ${key} 0 ${value.length}\r\n`), value, Buffer.from("\r\n")]);
}

/** Code, key, value, seconds; lengths before both. */
function encodeBinarySet(key: string, value: Buffer): Buffer {
  const keyBytes = Buffer.from(key);
  return Buffer.concat([
    Buffer.of(setCode),
    int32(keyBytes.length),
    keyBytes,
    int32(value.length),
    value,
    int32(0),
  ]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** An answer is a line: `OK` and a version. */
function textReader(): AnswerReader {
  let part = "";
  return {
    accept(chunk, onAnswer) {
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        const line = part + chunk.toString("latin1", start, end);
        part = "";
        start = end + 1;
        onAnswer(line.startsWith("OK ") ? undefined : line.trimEnd());
      }
      part += chunk.toString("latin1", start);
    },
  };
}

/** An answer is a byte. */
function binaryReader(): AnswerReader {
  return {
    accept(chunk, onAnswer) {
      for (const status of chunk) onAnswer(status === done ? undefined : `status ${status}`);
    },
  };
}
