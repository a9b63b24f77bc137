import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { gatherValues } from "../../src/config/values.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMember } from "../../src/start/open-member.ts";
import { recordingLogger } from "../transport/fixture.ts";

it("a later start says that it ignores the members it is told, if they are not those it has", async (test) => {
  const dataDir = mkdtempSync(join(tmpdir(), "dkv-open-member-"));
  test.after(() => {
    rmSync(dataDir, { recursive: true });
  });
  /** What is said of it, with its level. */
  const start = async (members: string, token: string): Promise<readonly (readonly [number, string])[]> => {
    const ports = ["--listen-peer-address=localhost:0", "--listen-client-address=localhost:0"];
    const told = [`--initial-cluster=${members}`, `--initial-cluster-token=${token}`];
    const line = await gatherValues(["--name=a", `--data-dir=${dataDir}`, ...ports, ...told], {}, "1.2.3");
    assert.ok(line.kind === "run");
    const { logger, log } = recordingLogger();
    const deps = { clock: systemClock, random: systemRandom, logger };
    await openMember(readConfig(line.values), deps).then((storage) => storage.close());
    return log.items.filter(({ msg }) => /ignored/.test(msg)).map(({ level, msg }) => [level, msg]);
  };
  const info = [30, "the data directory is in use already: --initial-cluster and its token are ignored"];
  assert.deepEqual(await start("a=localhost:1,b=localhost:2", "one"), []);
  assert.deepEqual(await start("a=localhost:1,b=localhost:2", "one"), []);
  // As with a restored cluster, whose id depends on more than its members.
  assert.deepEqual(await start("b=localhost:2,a=localhost:1", "other"), []);
  assert.deepEqual(await start("a=localhost:1,b=localhost:3", "one"), [info]);
  assert.deepEqual(await start("a=localhost:1,c=localhost:2", "one"), [info]);
  assert.deepEqual(await start("a=localhost:1", "one"), [info]);
});
