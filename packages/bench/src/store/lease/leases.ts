import { dial } from "../../http2/dial.ts";
import { nowMs } from "../../platform/clock.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { RunningSystem, System } from "../../systems/system.ts";
import { insist } from "../../workload/insist.ts";
import type { StoreDeps } from "../deps.ts";
import { largestDifference, type MemoryDifference, restingMemory } from "../keys/memory.ts";
import { type LongRequest, longCall } from "../long-call.ts";
import { askLoop, type LoopDelay } from "../probe/probe.ts";
import { type Expiry, measureExpiry } from "./expiry.ts";
import { callForEach } from "./grant.ts";
import { Keeper } from "./keeper.ts";
import { type KeepAlives, LeaseLedger } from "./ledger.ts";
import { type BesideLeases, loadBesideLeases } from "./load.ts";
import {
  countIn,
  encodeAttach,
  encodeCount,
  encodeGrant,
  grantedIn,
  leasePaths,
  leasesIn,
} from "./messages.ts";

/** Many leases with a key each, kept alive under a load. */
export interface LeasesResult extends KeepAlives, BesideLeases {
  readonly leases: number;
  readonly ttlSeconds: number;
  readonly streams: number;
  readonly target: "leader" | "all";
  /** Until all were granted, and until each had its key. */
  readonly grantingSeconds: number;
  readonly attachingSeconds: number;
  /** Of the leader, in both times. */
  readonly grantingLoop: LoopDelay;
  /** What was there at the end, of what was granted and attached. */
  readonly leasesLeft: number;
  readonly keysLeft: number;
  /** Why streams of keep-alives ended, and how often. They were begun again. */
  readonly breaks: Readonly<Record<string, number>>;
  /** Of the leader, with all leases and keys and without watches, above when it was empty. */
  readonly memory: MemoryDifference | undefined;
  /** Undefined unless it was asked for. */
  readonly expiry: Expiry | undefined;
}

export async function measureLeases(
  system: System,
  running: RunningSystem,
  deps: StoreDeps,
): Promise<LeasesResult> {
  const { options, signal } = deps;
  const { leases, leaseTtlSeconds: ttlSeconds, leaseTarget } = options;
  const leader = await running.findLeader();
  const empty = await restingMemory([leader], deps);
  const members = leaseTarget === "leader" ? [leader] : running.members;
  const targets = members.map(({ target }) => target);
  const streams = Math.min(leases, options.leaseStreams);
  const ledger = new LeaseLedger({ leases, ttlSeconds });
  const keeper = await Keeper.open({ targets, streams, leases, ttlSeconds, ledger, signal });
  try {
    keeper.begin();
    const granting = await grantAll(leader, ledger, deps);
    const beside = await loadBesideLeases({ system, running, ledger }, deps);
    const last = await running.findLeader();
    if (last !== leader) deps.progress.line(`leases: ${last.name} leads now, not ${leader.name}`);
    const left = await countLeft(leader, deps);
    const full = await restingMemory([leader], deps);
    const leave = (): Promise<void> => keeper.stop();
    const expiry = options.leaseExpiry ? await measureExpiry(leader, leave, deps) : undefined;
    if (!options.leaseExpiry) await leave();
    return {
      leases,
      ttlSeconds,
      streams,
      target: leaseTarget,
      ...granting,
      ...beside,
      ...left,
      ...ledger.keepAlives,
      breaks: keeper.breaks.byKind,
      memory: largestDifference(empty, full),
      expiry,
    };
  } finally {
    keeper.close();
  }
}

type Granting = Pick<LeasesResult, "grantingSeconds" | "attachingSeconds" | "grantingLoop">;

async function grantAll(
  leader: LocalMember,
  ledger: LeaseLedger,
  { options, progress, signal }: StoreDeps,
): Promise<Granting> {
  const { leases, leaseTtlSeconds: ttlSeconds } = options;
  const plan = { leases, signal };
  const { target } = leader;
  await askLoop(leader);
  const granting = callForEach(target, {
    ...plan,
    path: leasePaths.grant,
    encode: (lease) => encodeGrant(lease, ttlSeconds),
    onAnswer: (lease, message) => {
      const granted = grantedIn(message);
      if (granted !== ttlSeconds) throw new Error(`a lease was granted for ${granted} s, not ${ttlSeconds}`);
      ledger.granted(lease, nowMs());
    },
  });
  const grantingSeconds = await progress.during(`leases: granting ${leases}`, granting);
  const value = Buffer.alloc(options.valueBytes, ".");
  const attaching = callForEach(target, {
    ...plan,
    path: leasePaths.put,
    encode: (lease) => encodeAttach(lease, value),
    onAnswer: () => undefined,
  });
  const attachingSeconds = await progress.during("leases: attaching a key to each", attaching);
  return { grantingSeconds, attachingSeconds, grantingLoop: await askLoop(leader) };
}

async function countLeft(
  { target }: LocalMember,
  { signal }: StoreDeps,
): Promise<Pick<LeasesResult, "leasesLeft" | "keysLeft">> {
  const { connection, close } = await dial(target, signal);
  try {
    const list = { path: leasePaths.list, message: new Uint8Array() };
    const count = { path: leasePaths.range, message: encodeCount() };
    const ask = (request: LongRequest): Promise<Buffer> =>
      insist(() => longCall(connection, target, request), signal);
    return { leasesLeft: leasesIn(await ask(list)), keysLeft: countIn(await ask(count)) };
  } finally {
    close();
  }
}
