/**
 * Set, Get and Delete as nearly all requests for them are: with a key, a value, and nothing else in them.
 *
 *   bytes ──► key and value, views of the bytes ──► a command, or a read ──► the answer's frame
 *
 * No message is made on the way, and no more than one promise: of what a call costs the leader, half was
 * that. Any other request goes the general way.
 */
import assert from "node:assert/strict";
import { type Operation, plainSet } from "@dkv/store";
import type { CommandResult, Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import type { UnaryMethod } from "../unary-method.ts";
import { headerOf, type Timeout } from "./answers.ts";
import { plainDelete } from "./commands.ts";
import type { FrameEncoder } from "./frames.ts";
import { faultOf, type PlainGet, type PlainRequest, readPlainRequest } from "./plain-request.ts";

export interface PlainMethodDeps {
  readonly member: Member;
  readonly frames: FrameEncoder;
  /** Most bytes of key and value together. */
  readonly maxRequestBytes: number;
}

/**
 * @param kind what plain requests of the method are
 * @param general takes all others
 */
export function plainMethod(
  kind: PlainRequest["kind"],
  general: UnaryMethod,
  deps: PlainMethodDeps,
): UnaryMethod {
  return {
    ...general,
    call(message, timeoutMs, fields) {
      const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
      const request = readPlainRequest(bytes, kind);
      if (request === undefined) return general.call(message, timeoutMs, fields);
      const fault = faultOf(request, deps.maxRequestBytes);
      return fault === undefined ? answer(request, deps, timeoutMs) : Promise.reject(fault);
    },
  };
}

function answer(request: PlainRequest, deps: PlainMethodDeps, timeoutMs: Timeout): Promise<Buffer> {
  const { member, frames } = deps;
  if (request.kind === "get") return get(request, deps, timeoutMs);
  const { key } = request;
  const operation: Operation =
    request.kind === "set"
      ? { case: "set", value: plainSet(key, request.value) }
      : { case: "delete", value: plainDelete(key) };
  return member.propose(operation, timeoutMs).then((result) => written(result, member, frames));
}

function written(result: CommandResult, member: Member, frames: FrameEncoder): Buffer {
  const header = headerOf(member, result.revision);
  if (result.kind === "set") return frames.set({ header, previous: undefined });
  assert(result.kind === "delete", "a plain write is a set or a delete");
  return frames.delete({ header, deleted: result.deleted > 0, previous: undefined });
}

async function get(
  { key, isSerializable }: PlainGet,
  { member, frames }: PlainMethodDeps,
  timeoutMs: Timeout,
): Promise<Buffer> {
  if (!isSerializable) await member.readBarrier(timeoutMs);
  const found = member.get(key);
  if (found === undefined) throw new DkvError("keyNotFound", "key not found");
  return frames.get({ header: headerOf(member), found });
}
