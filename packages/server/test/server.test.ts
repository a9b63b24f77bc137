import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { pino } from "pino";
import { readConfig } from "../src/config/config.ts";
import { gatherValues } from "../src/config/values.ts";
import { systemClock } from "../src/platform/clock.ts";
import { systemRandom } from "../src/platform/random.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { startServer } from "../src/server.ts";

it("leaves nothing running when its client port is taken", async (test) => {
  const directory = mkdtempSync(join(tmpdir(), "dkv-server-"));
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  test.after(() => {
    taken.close();
    rmSync(directory, { recursive: true });
  });
  const address = taken.address();
  assert.ok(address !== null && typeof address === "object");
  const electionTimeoutMs = 50;
  const line = await gatherValues(
    [
      "--name=a",
      "--initial-cluster=a=127.0.0.1:2380",
      `--data-dir=${directory}`,
      "--listen-peer-address=127.0.0.1:0",
      `--listen-client-address=127.0.0.1:${String(address.port)}`,
      "--heartbeat-interval=10ms",
      `--election-timeout=${String(electionTimeoutMs)}ms`,
    ],
    {},
    "1.2.3",
  );
  assert.equal(line.kind, "run");
  const failures: unknown[] = [];
  await assert.rejects(
    startServer(readConfig(line.kind === "run" ? line.values : new Map()), {
      clock: systemClock,
      random: systemRandom,
      logger: pino({ level: "silent" }),
      fatal: (error) => failures.push(error),
    }),
    StartupError,
  );
  // A member that still ran would now campaign, and fail at its closed storage.
  await new Promise((resolve) => setTimeout(resolve, 4 * electionTimeoutMs));
  assert.deepEqual(failures, []);
});
