/**
 * Commands as bytes: dkv.peer.v1.Command, as it stands in every member's log. Plain sets, which most are,
 * and transactions have a short way of their own.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Command, CommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { Origin } from "./auth/auth-state.ts";
import { encodeTxnCommand } from "./encode-txn.ts";
import type { LoggedOperation } from "./operation.ts";
import { encodePlain, readPlain } from "./plain-set.ts";

/** Names a command, so that whoever proposed it recognises it in the log. */
export interface CommandId {
  /** The process that proposed it: drawn at random when that process started. */
  readonly proposer: bigint;
  /** Counts the proposals of that process, in 32 bits. */
  readonly sequence: number;
}

/** Transactions may nest 128 deep in each other, as two messages each. */
const reading = { recursionLimit: 400 } as const;

/** @param origin undefined while auth is disabled: then nobody has to say who asks */
export function encodeCommand(id: CommandId, operation: LoggedOperation, origin?: Origin): Uint8Array {
  if (origin === undefined) {
    if (operation.case === "txn") return encodeTxnCommand(id, operation.value);
    const plain = encodePlain(id, operation);
    if (plain !== undefined) return plain;
  }
  return toBinary(CommandSchema, create(CommandSchema, { ...id, operation, ...fieldsOf(origin) }));
}

function fieldsOf(origin: Origin | undefined) {
  if (origin === undefined) return {};
  return origin === "member" ? { byMember: true } : origin;
}

function originOf({ user, authRevision, byMember }: Command): Origin | undefined {
  if (user !== "") return { user, authRevision };
  return byMember ? "member" : undefined;
}

/** The id of an encoded command. Throws if the bytes are none; ask {@link isCommand} where that may be. */
export function commandId(data: Uint8Array): CommandId {
  const { proposer, sequence } = fromBinary(CommandSchema, data, reading);
  return { proposer, sequence };
}

/** Whether the store can apply these bytes. Ask before proposing what another process has sent. */
export function isCommand(data: Uint8Array): boolean {
  if (readPlain(data) !== undefined) return true;
  try {
    return isKnown(fromBinary(CommandSchema, data, reading));
  } catch {
    return false;
  }
}

export interface DecodedCommand {
  readonly id: CommandId;
  readonly operation: LoggedOperation;
  /** As in {@link encodeCommand}. */
  readonly origin?: Origin | undefined;
}

/** Throws if the bytes are not a command, or one that only a newer version knows: applying cannot go on. */
export function decodeCommand(data: Uint8Array): DecodedCommand {
  const plain = readPlain(data);
  if (plain !== undefined) return plain;
  const command: Command = fromBinary(CommandSchema, data, reading);
  const { proposer, sequence, operation } = command;
  if (operation.case === undefined || !isKnown(command))
    throw new Error("the log holds a command that this version does not know");
  return { id: { proposer, sequence }, operation, origin: originOf(command) };
}

/** Whether this version knows what it does, and not a newer one alone. */
function isKnown({ operation }: Command): boolean {
  if (operation.case === "auth") return operation.value.change.case !== undefined;
  return operation.case !== undefined;
}
