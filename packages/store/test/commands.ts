/** Commands as the tests write them. */
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema, SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { encodeCommand } from "../src/command.ts";
import type { Operation } from "../src/operation.ts";
import { bytes } from "./disk.ts";

export const set = (key: Uint8Array, value: Uint8Array): Operation => ({
  case: "set",
  value: create(SetCommandSchema, { key, value }),
});

export const del = (key: Uint8Array): Operation => ({
  case: "delete",
  value: create(DeleteCommandSchema, { key }),
});

const id = { proposer: 7n, sequence: 1 };

export const setBytes = (key: string, value: string): Uint8Array =>
  encodeCommand(id, set(bytes(key), bytes(value)));
export const deleteBytes = (key: string): Uint8Array => encodeCommand(id, del(bytes(key)));
