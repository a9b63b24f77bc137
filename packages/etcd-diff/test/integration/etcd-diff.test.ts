/** The tester with real etcds: it finds nothing where nothing is, and what is planted in one's answers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { startPlayer, type StartPlayer } from "../../src/arena.ts";
import { families } from "../../src/generate/generate.ts";
import type { PlainMessage } from "../../src/message/plain.ts";
import { readOptions } from "../../src/options.ts";
import { runDiff } from "../../src/run.ts";
import { startDkv } from "../../src/servers/dkv.ts";
import { startEtcd } from "../../src/servers/etcd.ts";
import type { Step } from "../../src/step.ts";

const skip = !hasEtcd() && "there is no etcd on the PATH";

function hasEtcd(): boolean {
  try {
    execFileSync("etcd", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const honest: StartPlayer = () => startPlayer(() => startEtcd("etcd"));

/** An etcd whose answers are changed on their way. */
function lying(change: (answer: PlainMessage, step: Step) => PlainMessage): StartPlayer {
  return async () => {
    const player = await honest();
    const { lane } = player;
    return {
      ...player,
      lane: {
        play: async (steps) => {
          const answers = await lane.play(steps);
          return answers.map((answer, at) => change(answer, steps[at] as Step));
        },
        take: () => lane.take(),
        close: () => {
          lane.close();
        },
      },
    };
  };
}

/** Whether there was no difference, and what was printed. */
async function compare(other: StartPlayer, args: readonly string[]) {
  const options = readOptions(args, () => 1);
  assert.notEqual(options, "help");
  const lines: string[] = [];
  const isAlike = await runDiff({
    options: options as Exclude<typeof options, "help">,
    starts: [honest, other],
    names: ["etcd", "other"],
    nowMs: () => performance.now(),
    print: (line) => void lines.push(line),
  });
  return { isAlike, printed: lines.join("\n") };
}

describe("etcd against dkv", { skip }, () => {
  for (const members of [1, 3])
    it(`does not differ in a short run, with ${String(members)} of its members`, async () => {
      const flags = ["--count", "1500", "--members", String(members), "--shrink", "30"];
      const { isAlike, printed } = await compare(() => startPlayer(() => startDkv(members)), flags);
      assert.ok(isAlike, printed);
    });
});

describe("etcd against etcd", { skip }, () => {
  it("does not differ, whatever is asked", async () => {
    const { isAlike, printed } = await compare(honest, ["--count", "2000", "--only", families.join(",")]);
    assert.ok(isAlike, printed);
  });

  it("differs if one leaves out a field, and the stream becomes a few steps", async () => {
    const forgetful = lying((answer, { call }) => {
      if (call !== "KV/Range" || answer["more"] !== true) return answer;
      return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== "more"));
    });
    const { isAlike, printed } = await compare(forgetful, ["--count", "1000", "--only", "kv,lease"]);
    assert.ok(!isAlike);
    const [, shrunk = ""] = printed.split(/after \d+ tries:/);
    // Two keys, and a range that is cut after the first.
    assert.equal(shrunk.match(/KV\/Put/g)?.length, 2, printed);
    assert.match(shrunk, /3 {2}KV\/Range \{ .*limit: \d/);
    assert.match(shrunk, /etcd {3}true\n {2}other {2}nothing/);
    assert.match(shrunk, /Repeat it: make etcd-diff REPLAY=\S+\.steps/);
  });

  it("differs if one says an error in other words", async () => {
    const wordy = lying((answer) =>
      answer["text"] === "etcdserver: requested lease not found"
        ? { ...answer, text: "no such lease" }
        : answer,
    );
    const { isAlike, printed } = await compare(wordy, ["--count", "500", "--only", "lease"]);
    assert.ok(!isAlike);
    assert.match(printed, /A difference in Lease\/LeaseRevoke, after step 1, at text:/);
  });

  it("says so when one ends", async () => {
    const mortal: StartPlayer = async () => {
      const player = await honest();
      const { lane, server } = player;
      const play: typeof lane.play = async (steps) => {
        if (steps.some(({ call }) => call === "Maintenance/Defragment")) await server.stop();
        return lane.play(steps);
      };
      return {
        server,
        lane: {
          play,
          take: () => lane.take(),
          close: () => {
            lane.close();
          },
        },
      };
    };
    const { isAlike, printed } = await compare(mortal, [
      "--count",
      "300",
      "--only",
      "maintenance",
      "--shrink",
      "0",
    ]);
    assert.ok(!isAlike);
    assert.match(printed, /A difference in an ending/);
    assert.match(printed, /it ended by SIGKILL/);
  });
});
