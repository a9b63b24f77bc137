/** Commands as the tests write them. */
import { create } from "@bufbuild/protobuf";
import {
  AlarmCommandSchema,
  AlarmKind,
  CheckCommandSchema,
  DeleteCommandSchema,
  SetCommandSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import { encodeCommand } from "../src/command.ts";
import type { LoggedOperation, Operation } from "../src/operation.ts";
import { bytes } from "./disk.ts";

export const set = (key: Uint8Array, value: Uint8Array): Operation => ({
  case: "set",
  value: create(SetCommandSchema, { key, value }),
});

export const del = (key: Uint8Array): Operation => ({
  case: "delete",
  value: create(DeleteCommandSchema, { key }),
});

export const check: LoggedOperation = { case: "check", value: create(CheckCommandSchema) };

/** About a member of cluster 1. */
export const alarm = (memberId: bigint, lift = false): LoggedOperation => ({
  case: "alarm",
  value: create(AlarmCommandSchema, { clusterId: 1n, memberId, kind: AlarmKind.CORRUPT, lift }),
});

const id = { proposer: 7n, sequence: 1 };

export const setBytes = (key: string, value: string): Uint8Array =>
  encodeCommand(id, set(bytes(key), bytes(value)));
export const deleteBytes = (key: string): Uint8Array => encodeCommand(id, del(bytes(key)));
export const checkBytes = (): Uint8Array => encodeCommand(id, check);
export const alarmBytes = (memberId: bigint, lift = false): Uint8Array =>
  encodeCommand(id, alarm(memberId, lift));
