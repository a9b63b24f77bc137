/** A program on etcd's own client for Go, with its locks, elections and transactional memory. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Cluster } from "@dkv/cluster";
import { scratchDirectory, longLivedCluster } from "../fixture.ts";
import { play, works } from "./programs.ts";

const source = fileURLToPath(new URL("go", import.meta.url));

/** Debian keeps Go's libraries as a tree of sources, which only the mode before modules reads. */
const environment = { ...process.env, GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "" };

const isInstalled =
  (await works("go", ["version"])) &&
  (await works("test", ["-d", "/usr/share/gocode/src/go.etcd.io/etcd/clientv3"]));

describe("a Go program on etcd's clientv3", {
  skip: isInstalled ? false : "apt-get install golang-go golang-etcd-server-dev: clientv3 is not installed",
}, () => {
  const program = { command: join(scratchDirectory(), "clients"), args: [] };
  let cluster: Cluster;

  before(async () => {
    const build = ["build", "-ldflags=-s -w", "-o", program.command, "."];
    await promisify(execFile)("go", build, { cwd: source, env: environment });
  });
  before(async () => {
    cluster = await longLivedCluster();
  });

  const scenarios: Readonly<Record<string, string>> = {
    keys: "puts, gets, deletes, transacts and is refused as by etcd",
    locks: "counts under a lock, which goes to the next one when its holder dies",
    elections: "elects leaders, and sees each of them",
    stm: "moves money in transactional memory",
    leases: "keeps a lease alive, and sees its key end with it",
    watches: "watches from now, from the past and from what was given up",
    maintenance: "looks after the members",
    "leader-change": "misses nothing and keeps its lock over a change of leaders",
  };
  for (const [scenario, what] of Object.entries(scenarios)) {
    it(what, async () => {
      await play(cluster, program, scenario);
    });
  }
});
