/** Programs that were written for etcd with clients of other languages, played against a cluster of dkv. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { Cluster } from "@dkv/cluster";
import { certificates } from "../fixture.ts";

const run = promisify(execFile);

/** Whether a command is there and ends well. */
export async function works(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args]).then(
    () => true,
    () => false,
  );
}

export interface Program {
  readonly command: string;
  /** What comes before the name of a scenario. */
  readonly args: readonly string[];
}

/**
 * Plays a scenario of a program, which is called with its name, the members' addresses and the CA's file, and
 * ends with 0 if everything was as it should be. When it prints `now`, the leader is killed, and comes back once
 * there is another one.
 *
 * Of the environment it gets the path alone: the CA that a machine names there for its own proxy, as in
 * REQUESTS_CA_BUNDLE, would go before the one that the program is told.
 */
export async function play(cluster: Cluster, { command, args }: Program, scenario: string): Promise<void> {
  const endpoints = cluster.members.map(({ clientAddress }) => `https://${clientAddress}`).join(",");
  const ca = join(await certificates(), "ca.pem");
  const child = spawn(command, [...args, scenario, endpoints, ca], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  const ended = once(child, "close");
  const complaints = text(child.stderr);
  let wasAsked = false;
  for await (const line of createInterface({ input: child.stdout })) {
    assert.equal(line, "now");
    wasAsked = true;
    await changeLeader(cluster);
  }
  await ended;
  assert.equal(child.exitCode, 0, await complaints);
  assert.equal(wasAsked, scenario === "leader-change");
}

/** Kills the leader, and starts it again when another one leads. */
export async function changeLeader(cluster: Cluster): Promise<void> {
  const leader = cluster.member(await cluster.waitForLeader());
  await leader.kill();
  await cluster.waitForLeader();
  leader.start();
  await leader.waitReady();
}
