/** etcdctl, command by command, against three members. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { before, describe, it } from "node:test";
import type { Cluster } from "@dkv/cluster";
import { certificates, longLivedCluster, memberAt, scratchDirectory } from "../fixture.ts";
import { type Row, rows } from "./etcdctl-rows.ts";
import { works } from "./programs.ts";

const environment = { PATH: "/usr/bin:/bin", ETCDCTL_API: "3" };

/** One that goes on and never says what it is to say ends after this. */
const longestMs = 30_000;

describe("etcdctl at three members, TLS", {
  skip: (await works("etcdctl", ["version"]))
    ? false
    : "apt-get install etcd-client: etcdctl is not installed",
}, () => {
  /** What rows have found. */
  const found = new Map([["directory", scratchDirectory()]]);
  let cluster: Cluster;
  let secure: readonly string[];

  before(async () => {
    cluster = await longLivedCluster();
    const directory = await certificates();
    const file = (name: string): string => join(directory, `${name}.pem`);
    secure = [`--cacert=${file("ca")}`, `--cert=${file("client")}`, `--key=${file("client-key")}`];
  });

  const begin = (args: readonly string[], asksOne?: true) => {
    const urls = cluster.members.map(({ clientAddress }) => `https://${clientAddress}`);
    const endpoints = `--endpoints=${(asksOne === true ? urls.slice(0, 1) : urls).join(",")}`;
    const flags = [endpoints, ...secure, "--command-timeout=20s", "--dial-timeout=10s"];
    const child = spawn("etcdctl", [...flags, ...args], { env: environment, timeout: longestMs });
    child.stdin.on("error", () => undefined);
    return child;
  };

  const filled = (part: string): string =>
    part.replaceAll(/\{(\w+)\}/g, (all, name: string) => found.get(name) ?? all);

  /** What it prints to `-w json`. */
  const answer = async <Answer>(...args: readonly string[]): Promise<Answer> => {
    const child = begin([...args, "-w", "json"]);
    return JSON.parse(await text(child.stdout)) as Answer;
  };

  const play = async ({ args, input, goesOn, fails, asksOne }: Row, says: RegExp): Promise<string> => {
    const child = begin(args.map(filled), asksOne);
    child.stdin.write(input ?? "");
    // It takes the end of its commands for a reason to end.
    if (goesOn !== true) child.stdin.end();
    const errors = text(child.stderr);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      output += part;
      if (goesOn === true && says.test(output)) child.kill("SIGINT");
    });
    await once(child, "close");
    if (goesOn === true) return output;
    const complaints = await errors;
    assert.equal(child.exitCode === 0, fails !== true, complaints + output);
    return fails === true ? complaints.trim() : output.trimEnd();
  };

  for (const row of rows) {
    const title = row.args.join(" ");
    it(`${title}${row.fails === true ? ", refused" : ""}`, async () => {
      const says = new RegExp(filled(row.says.source), row.says.flags);
      const other = row.beside === undefined ? undefined : begin(row.beside);
      if (other !== undefined) await once(other.stdout, "data");
      const output = await play(row, says);
      other?.kill("SIGINT");
      assert.match(output, says);
      for (const [name, value] of Object.entries(says.exec(output)?.groups ?? {})) found.set(name, value);
    });
  }

  it("move-leader", async () => {
    const statuses = await answer<readonly { Status: { header: { member_id: number }; leader: number } }[]>(
      "endpoint",
      "status",
    );
    const leader = cluster.members.findIndex((_, at) => {
      const status = statuses[at]?.Status;
      return status?.leader === status?.header.member_id;
    });
    assert.ok(leader >= 0);
    const child = begin(["member", "list"]);
    const ids = new Map(
      (await text(child.stdout)).split("\n").map((line) => {
        const [id = "", , name = ""] = line.split(", ");
        return [name, id] as const;
      }),
    );
    const target = memberAt(cluster, (leader + 1) % 3).name;
    const said = await text(begin(["move-leader", ids.get(target) ?? ""]).stdout);
    assert.match(said, /^Leadership transferred from [0-9a-f]+ to [0-9a-f]+\n$/);
    assert.equal(await cluster.waitForLeader(), target);
  });

  it("make-mirror", async () => {
    const [, mirrored] = cluster.members;
    assert.ok(mirrored !== undefined);
    await text(begin(["put", "mirrored/a", "1"]).stdout);
    const child = begin([
      "make-mirror",
      "--prefix=mirrored/",
      "--dest-prefix=mirror/",
      ...secure.map((flag) => flag.replace("--", "--dest-")),
      `https://${mirrored.clientAddress}`,
    ]);
    const watching = begin(["watch", "mirror/b"]);
    await text(begin(["put", "mirrored/b", "2"]).stdout);
    const told = createInterface({ input: watching.stdout })[Symbol.asyncIterator]();
    for (const line of ["PUT", "mirror/b", "2"]) assert.equal((await told.next()).value, line);
    for (const one of [child, watching]) one.kill("SIGINT");
    assert.equal(await text(begin(["get", "mirror/a"]).stdout), "mirror/a\n1\n");
  });
});
