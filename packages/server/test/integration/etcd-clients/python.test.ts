/** Programs on Debian's clients for Python: python3-etcd3 over gRPC, and python3-etcd3gw over JSON. */
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Cluster } from "@dkv/cluster";
import { longLivedCluster } from "../fixture.ts";
import { play, works } from "./programs.ts";

/** Debian's own, which finds Debian's packages. */
const python = "/usr/bin/python3";

/** Started by the first who needs it. */
let shared: Promise<Cluster> | undefined;
const sharedCluster = (): Promise<Cluster> => (shared ??= longLivedCluster());

const program = (name: string) => ({
  command: python,
  args: [fileURLToPath(new URL(`python/${name}.py`, import.meta.url))],
});

const hasEtcd3 = await works(python, ["-c", "import etcd3"]);
const hasGateway = await works(python, ["-c", "import etcd3gw"]);

describe("a Python program on etcd3", {
  skip: hasEtcd3 ? false : "apt-get install python3-etcd3: it is not installed",
}, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await sharedCluster();
  });

  const scenarios: Readonly<Record<string, string>> = {
    keys: "puts, gets, deletes, transacts and compacts",
    locks: "counts under a lock, which nobody else gets meanwhile",
    leases: "refreshes a lease, revokes it, and sees its key end with it",
    watches: "watches from now and from the past, by callback and by iterator",
    maintenance: "looks after the members",
    "leader-change": "misses nothing over a change of leaders",
  };
  for (const [scenario, what] of Object.entries(scenarios)) {
    it(what, async () => {
      await play(cluster, program("etcd3_program"), scenario);
    });
  }
});

describe("a Python program on etcd3gw", {
  skip: hasGateway ? false : "apt-get install python3-etcd3gw: it is not installed",
}, () => {
  it("puts, gets, locks, leases and watches through the JSON gateway", async () => {
    await play(await sharedCluster(), program("etcd3gw_program"), "everything");
  });
});
