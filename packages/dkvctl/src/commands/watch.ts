import type { DkvClientError, Keys, KeyValue, WatchEvent } from "@dkv/client";

import { Exit } from "../exit.ts";
import { eventJson } from "../output/key-json.ts";
import { keyCell } from "../output/keys.ts";
import { valueCell } from "../output/table.ts";
import { runChild } from "../platform/child.ts";
import type { CommandContext, Io } from "./command.ts";

export interface WatchRequest {
  readonly keys: Keys;
  readonly startRevision: number | undefined;
  readonly previous: boolean;
  /** For a shell, for each change. */
  readonly command: string | undefined;
}

/**
 * Prints every change until it is stopped, which is no failure: by default revision, kind, key and value, as
 * `value` the values that were set, each with a line feed. Goes on with another member when one is lost.
 */
export async function watch(context: CommandContext, request: WatchRequest): Promise<void> {
  const { keys, startRevision, previous, command } = request;
  const { client, io } = context;
  const onReconnect = outageTeller(io);
  await io.untilStopped(async (signal) => {
    const watching = client.watch(keys, { startRevision, previous, signal, onReconnect: onReconnect.lost });
    try {
      await watching.open();
      if (io.explainsToTerminal) io.explain("watching; Ctrl-C ends it\n");
      for await (const event of watching) {
        onReconnect.found();
        if (!(await take(context, event, { command, signal }))) return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
}

interface Taking {
  readonly command: string | undefined;
  readonly signal: AbortSignal;
}

/** False if nobody wants more. */
async function take(
  { output = "table", io }: CommandContext,
  event: WatchEvent,
  { command, signal }: Taking,
): Promise<boolean> {
  if (command !== undefined) {
    await react(io, event, { command, signal });
    return true;
  }
  switch (output) {
    case "json":
      return io.printPart(eventJson(event));
    case "value":
      return event.kind === "delete" || io.printPart(Buffer.concat([event.kv.value, Buffer.from("\n")]));
    case "table":
      return io.printPart(`${cellsOf(event).join("\t| ")}\n`);
  }
}

function cellsOf({ kind, kv, previous }: WatchEvent): readonly string[] {
  const value = kind === "set" ? [valueCell(kv.value)] : [];
  const before = previous === undefined ? [] : [`before: ${valueCell(previous.value)}`];
  return [`${kv.modRevision}`, kind, keyCell(kv), ...value, ...before];
}

/** A command that fails is told of, and does not end the watch. */
async function react(
  io: Io,
  { kind, kv }: WatchEvent,
  { command, signal }: Taking & { command: string },
): Promise<void> {
  const environment = { DKV_EVENT: kind, ...keyVariables(kv), DKV_REVISION: `${kv.modRevision}` };
  const outcome = await runChild(command, {
    environment,
    input: kv.value,
    end: signal,
    sharesTerminal: io.readsFromTerminal,
  }).then(
    (code) => (code === 0 ? undefined : `the command ended with ${code}`),
    (error: unknown) => {
      if (error instanceof Exit) return error.message;
      throw error;
    },
  );
  if (outcome !== undefined && !signal.aborted)
    io.explain(`dkvctl: ${outcome} for ${kind} of ${briefKey(kv)} at revision ${kv.modRevision}\n`);
}

/** A variable is text that ends with a NUL. Whichever this key has not is taken away, for it may be inherited. */
function keyVariables({ key, rawKey }: KeyValue): Record<"DKV_KEY" | "DKV_KEY_BASE64", string | undefined> {
  const isText = rawKey === undefined && !key.includes("\0");
  return isText
    ? { DKV_KEY: key, DKV_KEY_BASE64: undefined }
    : { DKV_KEY: undefined, DKV_KEY_BASE64: Buffer.from(rawKey ?? key).toString("base64") };
}

/** A key may be too long for a line that a person reads, as it may be for a variable. */
function briefKey(kv: KeyValue): string {
  const cell = keyCell(kv);
  return cell.length <= 200 ? cell : `${cell.slice(0, 100)}... (${cell.length} characters)`;
}

/** Says once for each outage that there is one, and that nothing is missed. */
function outageTeller(io: Io): { lost(this: void, error: DkvClientError): void; found(this: void): void } {
  let isOut = false;
  return {
    lost: ({ message }) => {
      if (!isOut) io.explain(`dkvctl: ${message}; looking for another member, nothing is missed\n`);
      isOut = true;
    },
    found: () => {
      isOut = false;
    },
  };
}
