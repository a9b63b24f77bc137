import assert from "node:assert/strict";
import { mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Trouble } from "../../src/cluster/fleet.ts";
import { Registers } from "../../src/load/registers.ts";
import { Nemesis } from "../../src/nemesis/nemesis.ts";
import type { FaultKind } from "../../src/plan/faults.ts";
import { nowMs } from "../../src/platform/time.ts";
import { isGood, renderSummary } from "../../src/report/summary.ts";
import { runChaos } from "../../src/run.ts";
import { prepareStage } from "../../src/stage.ts";

/** One of each sort; all of them take minutes. */
const kinds: readonly FaultKind[] = ["kill", "pause", "leaderAlone", "oneWay", "cut", "replace", "transfer"];

const options = {
  minutes: 0.5,
  seed: 1,
  members: 3,
  writers: 4,
  api: "both" as const,
  kinds,
  fakeTime: undefined,
};

describe("a member that ends by itself", { timeout: 60_000 }, () => {
  it("is trouble, unless it may", async (test) => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-test-"));
    const { promise, resolve } = Promise.withResolvers<string>();
    const stage = await prepareStage(directory, options, ({ message }) => resolve(message));
    test.after(() => stage.close({ keep: false }));
    const { fleet, network } = stage.scene;
    await fleet.startAll();
    await fleet.cluster.waitForLeader();
    assert.ok(network.connections >= 4, "a leader has been heard by all, through the proxies alone");
    const [first, second] = fleet.members;
    assert.ok(first?.pid !== undefined && second?.pid !== undefined);
    const insist = fleet.letEnd(first);
    const ended = first.waitForEnd();
    process.kill(first.pid, "SIGKILL");
    await ended;
    insist();
    process.kill(second.pid, "SIGKILL");
    assert.match(await promise, /^dkv-1 ended by itself by SIGKILL/);
  });
});

describe("what is healed", { timeout: 120_000 }, () => {
  it("has clients of every member write and read, or is trouble", async (test) => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-test-"));
    const stage = await prepareStage(directory, options, ({ message }) => assert.fail(message));
    test.after(() => stage.close({ keep: false }));
    const { fleet, clients } = stage.scene;
    await fleet.startAll();
    await fleet.cluster.waitForLeader();
    const onVerdict = ({ report }: { readonly report: string }): void => assert.fail(report);
    const load = new Registers({ clients, seed: 1, startedMs: nowMs(), writers: 1, onVerdict });
    test.after(() => load.abandon());
    const before = load.tally.writes;
    await load.useEach(fleet.members);
    assert.ok(load.tally.writes >= before + 3);

    // One that does not lead: its clients know who does, and could go on writing there.
    const leader = await fleet.leader();
    const silent = fleet.members.find((member) => member !== leader);
    assert.ok(silent !== undefined);
    const others = fleet.members.filter((member) => member !== silent);
    await fleet.kill(silent);
    await load.useEach(others);
    // What a fault forgets to make good, the nemesis notices.
    const nemesis = new Nemesis({
      scene: stage.scene,
      say: () => undefined,
      onFault: () => undefined,
      proveUse: async () => {
        const now = await fleet.leader();
        const victim = fleet.members.find((member) => member !== now) ?? silent;
        await fleet.kill(victim);
        await load.useEach(fleet.members, 1_000);
      },
      hurry: AbortSignal.abort(),
    });
    const faults = [{ kind: "kill", strikesLeader: false, seed: 1 }] as const;
    await assert.rejects(nemesis.play({ faults, apartMs: 0, lastsMs: 0, restMs: 0 }), (error) => {
      assert.ok(error instanceof Trouble);
      assert.match(error.message, /^all is healed, and clients of \S+ cannot write and read for 1 s: /);
      return true;
    });
  });
});

describe("a cluster of real processes under faults", { timeout: 240_000 }, () => {
  it("keeps what it promises to each sort of clients, and agrees on its state in the end", async (test) => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-test-"));
    const lines: string[] = [];
    const summary = await runChaos({
      ...options,
      // Fresh each time: what it finds is worth more than that it finds the same.
      seed: Math.floor(Math.random() * 2 ** 32),
      writers: 8,
      directory,
      print: (line) => lines.push(line),
      stop: new AbortController().signal,
    });
    const table = renderSummary(summary);
    assert.ok(isGood(summary), [...lines, table].join("\n"));
    test.diagnostic(table);
    assert.ok((summary.workloads[0]?.acknowledged ?? 0) > 100 && summary.faults.size >= 2, table);
    assert.equal(existsSync(directory), false, "nothing is left of a good run");
  });

  it("ends early when it is told to, and judges what it has seen", async () => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-test-"));
    const stopping = new AbortController();
    const summary = await runChaos({
      ...options,
      minutes: 60,
      kinds: ["pause"],
      directory,
      print: (line) => {
        if (line.includes("pause of one member")) stopping.abort();
      },
      stop: stopping.signal,
    });
    assert.ok(isGood(summary), renderSummary(summary));
    assert.equal(summary.faults.get("pause"), 1);
    rmSync(directory, { recursive: true, force: true });
  });
});
