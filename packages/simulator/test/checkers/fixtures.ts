/** What histories are made of, in a few letters. */
import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema, SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type Entry, logIndex, nodeId, term } from "@dkv/raft";
import { encodeCommand, type Operation } from "@dkv/store";

export const [one, two, three] = [nodeId(1n), nodeId(2n), nodeId(3n)];

export const id = (index: number, ofTerm: number) => ({ index: logIndex(index), term: term(ofTerm) });

export const entry = (index: number, ofTerm: number, data = "x"): Entry => ({
  ...id(index, ofTerm),
  kind: "command",
  data: Buffer.from(data),
});

/** The same text is the same command, and another one is another. */
const command = (text: string, operation: Operation): Uint8Array =>
  encodeCommand({ proposer: 1n, sequence: crc32(text) }, operation);

export const set = (key: string, value: string): Uint8Array =>
  command(`${key}=${value}`, {
    case: "set",
    value: create(SetCommandSchema, { key: Buffer.from(key), value: Buffer.from(value) }),
  });

export const remove = (key: string): Uint8Array =>
  command(`-${key}`, { case: "delete", value: create(DeleteCommandSchema, { key: Buffer.from(key) }) });
