import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { NodeArguments } from "../../systems/dkv.ts";
import type { LocalMember } from "../../systems/local-member.ts";

/** What a member holds once its garbage is gone. */
export interface OwnMemory {
  /** As the kernel counts it, mapped files included. */
  readonly residentBytes: number;
  /** Of JavaScript. */
  readonly heapBytes: number;
  /** Of C++, as far as V8 was told, buffers included. */
  readonly externalBytes: number;
}

/** How late a member's event loop was, by its own clock. */
export interface LoopDelay {
  readonly maxMs: number;
  readonly p99Ms: number;
}

const socketOf = (dataDir: string): string => `${dataDir}.probe`;

/** Starts a member so that it can be asked. */
export const probed: NodeArguments = ({ dataDir }) => {
  const inside = new URL("inside.js", import.meta.url);
  inside.searchParams.set("socket", socketOf(dataDir));
  return ["--expose-gc", `--import=${inside.href}`];
};

/** Has the member collect its garbage first, which takes it some milliseconds. */
export async function askMemory(member: LocalMember): Promise<OwnMemory> {
  const answer = await ask(member, "memory");
  return {
    residentBytes: numberIn(answer, "residentBytes"),
    heapBytes: numberIn(answer, "heapBytes"),
    externalBytes: numberIn(answer, "externalBytes"),
  };
}

/** Since it was asked last; the first time begins. */
export async function askLoop(member: LocalMember): Promise<LoopDelay> {
  const answer = await ask(member, "loop");
  return { maxMs: numberIn(answer, "maxMs"), p99Ms: numberIn(answer, "p99Ms") };
}

async function ask(member: LocalMember, question: string): Promise<unknown> {
  const socket = connect(socketOf(member.dataDir));
  socket.write(`${question}\n`);
  return JSON.parse(await text(socket));
}

/** Of an answer that a process of this package gave. */
export function numberIn(answer: unknown, name: string): number {
  const fields: Readonly<Record<string, unknown>> =
    typeof answer === "object" && answer !== null ? { ...answer } : {};
  const value = fields[name];
  if (typeof value === "number") return value;
  throw new Error(`an answer lacks ${name}`);
}
