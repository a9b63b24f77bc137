/** The commands that do something while they are the only one. */
import type { KeyValue } from "@dkv/client";

import { Exit, exitCodes } from "../exit.ts";
import { line } from "../output/json.ts";
import { keyCell } from "../output/keys.ts";
import { escapeCell, table, valueCell } from "../output/table.ts";
import { hostname, runChild } from "../platform/child.ts";
import { sleep } from "../platform/sleep.ts";
import type { CommandContext } from "./command.ts";

export interface LockRequest {
  readonly name: string;
  /** Empty: hold it until stopped. */
  readonly command: readonly string[];
  readonly ttlSeconds: number | undefined;
  /** How long to wait for it; 0: try once. Undefined: for ever. */
  readonly waitMs: number | undefined;
}

/** Something that one has at a time. */
interface Held {
  readonly key: string;
  readonly fencingToken: number;
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Waits for a lock, and runs a command or waits to be stopped. @throws Exit with the command's exit code */
export async function lock(context: CommandContext, request: LockRequest): Promise<void> {
  const { name, ttlSeconds } = request;
  return hold(context, request, async (signal) => context.client.lock(name, { signal, ttlSeconds }));
}

/** Waits until it leads, and runs a command or waits to be stopped. @throws Exit with the command's exit code */
export async function elect(
  context: CommandContext,
  request: LockRequest & { readonly value: string | undefined },
): Promise<void> {
  const { name, value = hostname(), ttlSeconds } = request;
  return hold(context, request, async (signal) => {
    const leads = await context.client.elect(name, value, { signal, ttlSeconds });
    return { ...leads, release: async () => leads.resign() };
  });
}

async function hold(
  context: CommandContext,
  request: LockRequest,
  take: (signal: AbortSignal) => Promise<Held>,
): Promise<void> {
  const { io } = context;
  await io.untilStopped(async (stop) => {
    const held = await takeInTime(context, request, { take, stop });
    const onLost = (): void => {
      io.explain(`dkvctl: ${whyLost(held)}\n`);
    };
    held.lost.addEventListener("abort", onLost, { once: true });
    if (held.lost.aborted) onLost();
    try {
      const code = await use(context, { request, held, stop });
      // A command that has not noticed the loss, and ended well, did so without being alone.
      if (held.lost.aborted) throw new Exit(code === 0 ? exitCodes.failure : code, "");
      if (code !== 0) throw new Exit(code, "");
    } finally {
      held.lost.removeEventListener("abort", onLost);
      await release(held, io);
    }
  });
}

interface Taking {
  readonly take: (signal: AbortSignal) => Promise<Held>;
  readonly stop: AbortSignal;
}

/** How long it may take to get what nobody holds. */
const tryMs = 5000;

/** @throws Exit if somebody else has it for longer than one wants to wait, or the wait was stopped */
async function takeInTime(
  { client }: CommandContext,
  { name, waitMs }: LockRequest,
  { take, stop }: Taking,
): Promise<Held> {
  const [tooLate, taken] = [new AbortController(), new AbortController()];
  try {
    if (waitMs === 0) {
      const holder = await client.leader(name, { signal: stop });
      if (holder !== undefined) throw isHeld(name, holder);
    }
    if (waitMs !== undefined)
      void sleep(waitMs === 0 ? tryMs : waitMs, taken.signal).then(
        () => tooLate.abort(),
        () => {},
      );
    return await take(AbortSignal.any([stop, tooLate.signal]));
  } catch (error) {
    if (stop.aborted) throw new Exit(stopCode(stop), "");
    throw tooLate.signal.aborted ? isHeld(name, await client.leader(name)) : error;
  } finally {
    taken.abort();
  }
}

function isHeld(name: string, holder: KeyValue | undefined): Exit {
  const value = holder === undefined || holder.value.length === 0 ? "" : ` with ${valueCell(holder.value)}`;
  const by =
    holder === undefined ? "there was no time to take it" : `it is held by ${keyCell(holder)}${value}`;
  return new Exit(exitCodes.conditionNotMet, `${escapeCell(name)} was not got: ${by}`);
}

interface Using {
  readonly request: LockRequest;
  readonly held: Held;
  readonly stop: AbortSignal;
}

/** The exit code of the command, or of waiting. */
async function use(context: CommandContext, { request, held, stop }: Using): Promise<number> {
  const { command, name } = request;
  if (command.length === 0) {
    await tell(context, name, held);
    await aborted(AbortSignal.any([stop, held.lost]));
    return exitCodes.success;
  }
  const environment = { DKV_FENCING_TOKEN: `${held.fencingToken}`, DKV_KEY: held.key };
  return runChild(command, {
    environment,
    end: stop,
    mustEnd: held.lost,
    sharesTerminal: context.io.readsFromTerminal,
  });
}

async function tell(
  { output = "value", io }: CommandContext,
  name: string,
  { key, fencingToken }: Held,
): Promise<void> {
  switch (output) {
    case "value":
      await io.printPart(`${fencingToken}\n`);
      return;
    case "json":
      await io.printPart(line({ name, key, fencing_token: fencingToken }));
      return;
    case "table": {
      const row = [escapeCell(name), escapeCell(key), `${fencingToken}`];
      await io.printPart(table([["Name", "Key", "Fencing Token"], row], io));
      return;
    }
  }
}

const whyLost = ({ lost: { reason } }: Held): string =>
  reason instanceof Error ? reason.message : "the lock is lost";

/** What is not released ends by itself: that is worth a word, and no other exit code. */
async function release(held: Held, io: CommandContext["io"]): Promise<void> {
  try {
    await held.release();
  } catch (error) {
    if (!held.lost.aborted)
      io.explain(`dkvctl: not released, ends by itself: ${error instanceof Error ? error.message : ""}\n`);
  }
}

/** As a shell has it for a process that the signal ended. */
const stopCode = ({ reason }: AbortSignal): number => stopCodes.get(reason) ?? 130;

const stopCodes: ReadonlyMap<unknown, number> = new Map([
  ["SIGHUP", 129],
  ["SIGTERM", 143],
]);

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
}
