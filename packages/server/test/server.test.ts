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
  const failures: unknown[] = [];
  const start = async (clientPort: number) => {
    const line = await gatherValues(
      [
        "--name=a",
        "--initial-cluster=a=127.0.0.1:2380",
        `--data-dir=${directory}`,
        "--listen-peer-address=127.0.0.1:0",
        `--listen-client-address=127.0.0.1:${String(clientPort)}`,
        "--heartbeat-interval=10ms",
        `--election-timeout=${String(electionTimeoutMs)}ms`,
      ],
      {},
      "1.2.3",
    );
    assert.ok(line.kind === "run");
    return startServer(readConfig(line.values), {
      clock: systemClock,
      random: systemRandom,
      logger: pino({ level: "silent" }),
      fatal: (error) => failures.push(error),
    });
  };
  // A first start looks at its ports before it starts anything; a later one does not.
  await start(0).then((server) => server.stop());
  await assert.rejects(start(address.port), StartupError);
  // A member that still ran would now campaign, and fail at its closed storage.
  await new Promise((resolve) => setTimeout(resolve, 4 * electionTimeoutMs));
  assert.deepEqual(failures, []);
});
