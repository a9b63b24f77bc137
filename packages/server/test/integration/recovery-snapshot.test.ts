import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type DkvClient, DkvClientError } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";
import { addresses, connect, followersIn, runningCluster, type Security, text } from "./fixture.ts";

/** `DKV_KILLS=50 node --test` on this file is the longer run; DKV_SEED is what an earlier run has told. */
const kills = Number(process.env["DKV_KILLS"] ?? 5);
const seed = Number(process.env["DKV_SEED"] ?? randomInt(2 ** 31));

const mebibyte = 2 ** 20;
const keys = 160;
const valueBytes = 100 * 1024;

/** At 32 MiB a second, which is how fast a snapshot leaves, all keys take half a second. */
const longestReceptionMs = 1000;

const flags = {
  "election-timeout": "500ms",
  "snapshot-count": "32",
  "snapshot-catchup-entries": "16",
};

/** The current generation's, in which names of files are numbers. */
function logFiles(member: Member): readonly { readonly number: number; readonly bytes: number }[] {
  const current = readdirSync(member.dataDir).filter((name) => /^\d{10}$/.test(name));
  const directory = join(member.dataDir, current.sort((a, b) => Number(a) - Number(b))[0] ?? "", "log");
  return readdirSync(directory).map((name) => {
    const bytes = statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
    return { number: Number.parseInt(name, 10), bytes };
  });
}

const numbersIn = (member: Member): number[] =>
  logFiles(member)
    .map(({ number }) => number)
    .filter((number) => !Number.isNaN(number));

function logBytes(member: Member): number {
  return logFiles(member).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Large values in a few keys, and what they must be in the end. */
class Values {
  readonly #client: DkvClient;
  readonly #rounds = new Map<string, number>();
  #written = 0;

  constructor(client: DkvClient) {
    this.#client = client;
  }

  get writtenBytes(): number {
    return this.#written * valueBytes;
  }

  async write(count: number): Promise<void> {
    let left = count;
    const writer = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        this.#written += 1;
        const [key, round] = [`key-${String(this.#written % keys)}`, this.#written];
        this.#rounds.set(key, round);
        await this.#writeInTheEnd(key, valueAt(round));
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
  }

  /** Nobody else writes to the key meanwhile, so writing the same again does no harm. */
  async #writeInTheEnd(key: string, value: string): Promise<void> {
    for (;;) {
      try {
        await this.#client.set(key, value);
        return;
      } catch (error) {
        if (!(error instanceof DkvClientError) || error.retry !== "outcomeUnknown") throw error;
      }
    }
  }

  async areAllAt(client: DkvClient): Promise<void> {
    // Whatever was acknowledged is there from now on, also for reads of this member's own state.
    await client.get("key-0");
    for (const [key, round] of this.#rounds)
      assert.ok(text((await client.get(key, { serializable: true }))?.value) === valueAt(round), key);
  }
}

function valueAt(round: number): string {
  return `${String(round)} `.padEnd(valueBytes, "x");
}

/** Writes until no running member has in its log what the ones that are away lack. */
async function outgrow(cluster: Cluster, values: Values): Promise<void> {
  const running = cluster.members.filter(({ isRunning }) => isRunning);
  const latest = Math.max(...running.flatMap((member) => numbersIn(member)));
  while (running.some((member) => Math.min(...numbersIn(member)) <= latest)) await values.write(40);
}

/** A generator of numbers from 0 to 1, the same for the same seed. */
function fractions(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Scene {
  readonly cluster: Cluster;
  readonly follower: Member;
  readonly client: DkvClient;
  readonly values: Values;
}

/** A cluster whose log has outgrown what one follower, which does not run, has of it. */
async function followerLeftBehind(test: TestContext, security: Security): Promise<Scene> {
  const cluster = await runningCluster(test, security, { flags });
  const [follower] = await followersIn(cluster);
  const others = addresses(cluster).filter((address) => address !== follower.clientAddress);
  const client = await connect(test, security, others);
  const values = new Values(client);
  await values.write(keys);
  await follower.stop();
  await outgrow(cluster, values);
  return { cluster, follower, client, values };
}

/** Resolves once the leader knows the follower to have everything. Nothing may be written meanwhile. */
async function caughtUp({ client, follower }: Scene, signal: AbortSignal): Promise<"caughtUp"> {
  const lag = async (): Promise<number | undefined> =>
    (await client.members()).members.find(({ id }) => id === follower.name)?.lag;
  while (!signal.aborted && (await lag()) !== 0);
  return "caughtUp";
}

type Point = { readonly line: RegExp } | { readonly afterMs: number };

/** Starts the follower and kills it at this point of receiving a snapshot, which it is made to need. */
async function killWhileReceiving(scene: Scene, point: Point): Promise<string> {
  const { cluster, follower, values } = scene;
  for (;;) {
    follower.start();
    const stop = new AbortController();
    const receiving = follower.waitForLine(/receiving a snapshot/);
    const first = await Promise.race([receiving, caughtUp(scene, stop.signal)]);
    stop.abort();
    if (first !== "caughtUp") {
      if ("line" in point) await follower.waitForLine(point.line);
      else await delay(point.afterMs);
      await follower.kill();
      return first;
    }
    receiving.catch(() => undefined);
    await follower.kill();
    await outgrow(cluster, values);
  }
}

describe("a log that is compacted", { timeout: 180_000 + 20_000 * kills }, () => {
  it("stays small however much is written, and a follower that was away gets a snapshot instead", async (test) => {
    const { cluster, follower, values } = await followerLeftBehind(test, "cleartext");
    await values.write(Math.ceil((96 * mebibyte - values.writtenBytes) / valueBytes));
    for (const member of cluster.members.filter(({ isRunning }) => isRunning)) {
      const bytes = logBytes(member);
      test.diagnostic(`${member.name}: ${String(bytes / mebibyte)} MiB of log`);
      // One file that is being written, one that has the rest of what is kept, one that is ready to be used.
      assert.ok(bytes <= 48 * mebibyte, `${member.name} has ${String(bytes / mebibyte)} MiB of log`);
    }
    follower.start();
    await follower.waitForLine(/took over the state of another member/);
    await values.areAllAt(await connect(test, "cleartext", [follower.clientAddress]));
    // It is needed now.
    const leader = cluster.member(await cluster.waitForLeader());
    await cluster.members.find((member) => member !== leader && member !== follower)?.kill();
    await values.write(20);
    await values.areAllAt(await connect(test, "cleartext", [follower.clientAddress]));
  });

  it(`gives way to a snapshot during which the follower may be killed at any point (${String(kills)} at random)`, async (test) => {
    test.diagnostic(`DKV_SEED=${String(seed)}`);
    const fraction = fractions(seed);
    const scene = await followerLeftBehind(test, "tls");
    const { follower, values } = scene;
    const points: Point[] = [{ line: /"received a snapshot"/ }, { line: /took over the state/ }];
    for (let kill = 0; kill < kills; kill += 1) points.unshift({ afterMs: fraction() * longestReceptionMs });
    for (const point of points) {
      const line = await killWhileReceiving(scene, point);
      const at = "line" in point ? String(point.line) : `${point.afterMs.toFixed(0)} ms`;
      test.diagnostic(`${/"chunks":\d+/.exec(line)?.[0] ?? ""} to begin with, killed at ${at}`);
    }
    follower.start();
    await follower.waitReady();
    await caughtUp(scene, AbortSignal.timeout(60_000));
    await values.areAllAt(await connect(test, "tls", [follower.clientAddress]));
    assert.deepEqual(
      follower.log.filter((line) => line.includes('"level":"error"') || line.startsWith("dkv: ")),
      [],
    );
  });
});
