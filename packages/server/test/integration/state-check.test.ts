import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { DkvClientError } from "@dkv/client";
import { tamper } from "../storage/tampering.ts";
import { addresses, connect, runningCluster, text } from "./fixture.ts";

const dkvctlProgram = fileURLToPath(new URL("../../../dkvctl/bin/dkvctl.js", import.meta.url));

interface Checked {
  readonly code: number;
  readonly report: {
    readonly has_majority: boolean;
    readonly members: readonly { readonly id: string; readonly verdict: string; readonly hash: string }[];
  };
  readonly stderr: string;
}

/** Runs `dkvctl check`, whose exit code is part of what it says. */
function check(endpoint: string): Promise<Checked> {
  const words = [dkvctlProgram, `--endpoint=${endpoint}`, "--timeout=20s", "check", "-o", "json"];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, words, (_error, stdout, stderr) => {
      const report = JSON.parse(stdout === "" ? '{"members":[]}' : stdout) as Checked["report"];
      resolve({ code: child.exitCode ?? -1, report, stderr });
    });
  });
}

const verdicts = ({ report }: Checked): readonly string[] => report.members.map(({ verdict }) => verdict);

describe("dkvctl check", () => {
  it("names a member whose data was changed behind its back, which serves no more, while the others do", async (test) => {
    const cluster = await runningCluster(test, "cleartext");
    const [first, wrong, third] = cluster.members;
    assert.ok(first !== undefined && wrong !== undefined && third !== undefined);
    const client = await connect(test, "cleartext", addresses(cluster));
    for (let at = 0; at < 50; at += 1) await client.set(`key-${String(at)}`, "right");
    const before = await check(wrong.clientAddress);
    assert.deepEqual([before.code, verdicts(before)], [0, ["agrees", "agrees", "agrees"]], before.stderr);

    await wrong.stop();
    await tamper(wrong.dataDir, "key-25", "wrong");
    wrong.start();
    await wrong.waitReady();
    await cluster.waitForLeader();

    const after = await check(first.clientAddress);
    assert.equal(after.code, 1, after.stderr);
    assert.deepEqual(verdicts(after), ["agrees", "differs", "agrees"]);
    assert.match(after.stderr, /on dkv-1, which is put out of service/);

    await wrong.waitForLine(/state differs from that of the others/);
    const direct = await connect(test, "cleartext", [wrong.clientAddress]);
    const refused = (error: unknown): boolean => error instanceof DkvClientError && error.code === "corrupt";
    await assert.rejects(direct.get("key-25", { serializable: true, timeoutMs: 1000 }), refused);
    // The client would ask the leader.
    const answer = await wrong.askJson("/dkv.v1.DkvAPI/Set", { key: "key-25", value: "" });
    assert.deepEqual(Object.entries(answer ?? {})[0], ["code", "data_loss"]);
    const readiness = await fetch(`http://${wrong.clientAddress}/readyz`);
    assert.match(await readiness.text(), /state failed/);
    assert.equal((await client.members()).members.find(({ id }) => id === wrong.name)?.isCorrupt, true);
    assert.equal(text((await client.get("key-25"))?.value), "right");
    await client.set("key-25", "later");

    await wrong.kill();
    wrong.start();
    await wrong.waitForLine(/state differs from that of the others/);
    await assert.rejects(direct.get("key-0", { serializable: true, timeoutMs: 1000 }), refused);
  });
});
