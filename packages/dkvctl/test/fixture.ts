/** What the tests of commands that use a store have in common. */
import type { TestContext } from "node:test";

import { FakeStore } from "../../client/test/fake-store.ts";
import { ScriptedMember } from "../../client/test/scripted-member.ts";
import { dkvctl, type Ending, type Running, type RunOptions, startDkvctl } from "./dkvctl.ts";

export interface World {
  readonly store: FakeStore;
  readonly member: ScriptedMember;
  /** Runs a command to its end. */
  at(words: readonly string[], options?: RunOptions): Promise<Ending>;
  /** Starts one that goes on. */
  start(words: readonly string[]): Running;
}

/** A member with a store, and dkvctl run against it. */
export async function world(t: TestContext): Promise<World> {
  const store = new FakeStore();
  const member = await ScriptedMember.start({ store });
  t.after(() => member.stop().catch(() => undefined));
  const endpoint = `--endpoint=${member.endpoint}`;
  return {
    store,
    member,
    at: async (words, options) => dkvctl([endpoint, ...words], options),
    start: (words) => {
      const running = startDkvctl([endpoint, ...words]);
      t.after(() => {
        running.kill("SIGKILL");
      });
      return running;
    },
  };
}

export const silence = { code: 0, stdout: "", stderr: "" };
export const brief = ({ code, stdout, stderr }: Ending) => ({ code, stdout, stderr });
export const printed = (stdout: string) => ({ code: 0, stdout, stderr: "" });
