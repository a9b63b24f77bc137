/** The walkthrough of the system with the binary protocol: targets of make, in its order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../fixture.ts";
import { repository, Shell } from "./shell.ts";

const round = "setting...\nsetting...\nreceived:\nset Sucessfully\nreceived:\nset Sucessfully\n";
const setOutput = `conntected successfully..\n${round.repeat(5)}`;
const values = Array.from({ length: 10 }, (_, at) => `Get Sucessfully val: V_${String(at)}\n`);
const getOutput = `conntected successfully..\n${values.join("")}`;

describe("the walkthrough with the cache", { timeout: 180_000 }, () => {
  it("prints what its page shows", async (test) => {
    const shell = new Shell(test);
    // Everything is built already, and its data is kept elsewhere.
    const make = (target: string): string =>
      `make --no-print-directory -C ${repository} -o build -o node_modules/.installed ${target} DATA=${shell.directory}`;
    const fails = (target: string, ...patterns: readonly RegExp[]): Promise<void> =>
      assert.rejects(shell.type(make(target)), (error: { stdout?: unknown; stderr?: unknown }) => {
        const printed = `${String(error.stdout)}${String(error.stderr)}`;
        for (const pattern of patterns) assert.match(printed, pattern);
        assert.doesNotMatch(printed, /^\s+at /m, "no stack trace");
        return true;
      });
    await fails("runset", /^nothing listens on 127\.0\.0\.1:2221: start it with make run$/m);
    await fails("runget", /^nothing listens on 127\.0\.0\.1:2222: start it with make runfollower1$/m);

    const members = ["run", "runfollower1", "runfollower2"].map((target) => shell.start(make(target)));
    await Promise.all(members.map((one) => one.ready()));
    await members[1]?.prints(/ready for clients.*"binary":"127\.0\.0\.1:2222"/);
    await fails("runget", /^K_0: key not found$/m, /^K_9: key not found$/m);
    assert.equal(await shell.type(make("runset")), setOutput);
    assert.equal(await shell.type(make("runget")), getOutput);

    // Who is started again asks nobody, and has all of it.
    const client = await connect(test, "cleartext", [
      "127.0.0.1:12221",
      "127.0.0.1:12222",
      "127.0.0.1:12223",
    ]);
    const { members: known } = await client.members();
    assert.deepEqual(
      new Map(known.map(({ id, raftAddress }) => [id, raftAddress])),
      new Map([
        ["node1", "127.0.0.1:1111"],
        ["node2", "127.0.0.1:1112"],
        ["node3", "127.0.0.1:1113"],
      ]),
    );
    await members[1]?.ends("SIGINT");
    members[1] = await shell.start(make("runfollower1")).ready();
    await members[1].prints(/node_2_data holds a member already, which goes on: LEADER_PORT=2221 is ignored/);
    assert.equal(await shell.type(make("runget")), getOutput);
  });
});
