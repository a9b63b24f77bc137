/** The walkthrough of the system whose interface are queries, line by line, in its order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DkvClient, MembersResult } from "@dkv/client";
import { connect } from "../fixture.ts";
import { lacksCurl, Shell } from "./shell.ts";

const first = "./minikv --http=127.0.0.1:6000 --raft=127.0.0.1:7000 --node=1";
const second = "./minikv --http=127.0.0.1:6001 --raft=127.0.0.1:7001 --node=2";
const third = "./minikv --http=127.0.0.1:6002 --raft=127.0.0.1:7002 --node=3";
const ids = ["127.0.0.1:7000", "127.0.0.1:7001", "127.0.0.1:7002"] as const;

/** Asks until it is so, for as long as a test may take. */
async function untilMembers(
  client: DkvClient,
  isSo: (members: MembersResult["members"]) => boolean,
): Promise<void> {
  while (!isSo((await client.members()).members)) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Whoever has just joined gets a vote once it has caught up, which takes a person at a shell no time. */
async function untilAllVote(client: DkvClient): Promise<void> {
  await untilMembers(
    client,
    (members) => members.filter(({ isLearner }) => !isLearner).length === ids.length,
  );
}

async function untilLeads(client: DkvClient, id: string): Promise<void> {
  await client.moveLeader(id);
  await untilMembers(client, (members) => members.some((member) => member.id === id && member.isLeader));
}

describe("the walkthrough with minikv", { timeout: 180_000 }, () => {
  it("does what its lines say, in their order", { skip: lacksCurl }, async (test) => {
    const shell = new Shell(test);
    shell.install("minikv", "minikv");
    const prints = async (line: string, output: string): Promise<void> => {
      assert.equal(await shell.type(line.replace("curl", "curl -s")), output, line);
    };
    const endpoints = ["127.0.0.1:6000", "127.0.0.1:6001", "127.0.0.1:6002"];
    const client = await connect(test, "cleartext", endpoints);

    // Those who join may be started first, and wait.
    const joining = [second, third].map((line) => shell.start(`${line} --join=127.0.0.1:6000`));
    await Promise.all(joining.map((one) => one.prints(/waiting to join through 127\.0\.0\.1:6000/)));
    let members = [shell.start(`${first} --bootstrap=true `), ...joining];
    await Promise.all(members.map((one) => one.ready()));

    await prints('curl "http://localhost:6000/set?key=test1&value=writetoleader"', "ok\n");
    await prints('curl "http://localhost:6000/set?key=test2&value=readfromfollower"', "ok\n");
    await prints('curl "http://localhost:6000/get?key=test1"', "writetoleader\n");
    await prints('curl "http://localhost:6001/get?key=test2"', "readfromfollower\n");
    await prints('curl "http://localhost:6002/get?key=test2"', "readfromfollower\n");
    await untilAllVote(client);

    await Promise.all(members.map((one) => one.ends("SIGINT")));
    members = [first, second, third].map((line) => shell.start(line));
    await Promise.all(members.map((one) => one.ready()));
    await prints('curl "http://localhost:6002/get?key=test2"', "readfromfollower\n");
    await prints('curl "http://localhost:6000/set?key=test3&value=clusteRecovery"', "ok\n");
    await prints('curl "http://localhost:6002/get?key=test3"', "clusteRecovery\n");

    // The lines that follow take it that the first one leads.
    await untilLeads(client, ids[0]);
    await members[0]?.ends("SIGKILL");
    await prints('curl "http://localhost:6001/set?key=test4&value=CheckLeaderSwitch"', "ok\n");
    members[0] = await shell.start(first).ready();
    await members[0].hasLeader();
    await prints('curl "http://localhost:6001/set?key=test5&value=CheckLeaderSwitchBackOrNot"', "ok\n");
    await prints('curl "http://localhost:6000/get?key=test5"', "CheckLeaderSwitchBackOrNot\n");

    // Now that the second one follows.
    await untilLeads(client, ids[2]);
    await members[1]?.ends("SIGINT");
    members[1] = await shell.start(second).ready();
    await members[1].hasLeader();
    await prints('curl "http://localhost:6001/get?key=test4"', "CheckLeaderSwitch\n");

    // What its page says of joining, tried through any member and as often as one likes.
    const ask = (path: string): Promise<string> => shell.type(`curl -s "http://localhost:${path}"`);
    assert.equal(await ask("6001/join?peerAddress=127.0.0.1:7002"), "ok");
    assert.equal(await ask("6002/join?peerAddress=127.0.0.1:7002"), "ok");
    const other = await ask("6002/join?peerAddress=127.0.0.1:7002&node=other&strict=1");
    assert.match(other, /^127\.0\.0\.1:7002 is the address of 127\.0\.0\.1:7002/);

    // Who has joined asks nobody, whatever its line says.
    await members[2]?.ends("SIGINT");
    const again = await shell.start(`${third} -join 127.0.0.1:1`).ready();
    assert.equal(await ask("6000/set?key=k&value=v"), "ok\n");
    assert.equal(await ask("6002/get?key=k"), "v\n");
    assert.equal(await ask("6001/leave?peerAddress=127.0.0.1:7002"), "ok");
    assert.equal(await ask("6000/leave?peerAddress=127.0.0.1:7002"), "ok");
    await again.prints(/this member was removed from its cluster/);
    await again.ends("SIGINT");
    const fourth = third.replace("--node=3", "--node=4").replace("7002", "7003");
    await shell.start(`${fourth} --join=127.0.0.1:6001`).ready();
    assert.equal(await ask("6002/get?key=k"), "v\n");
  });
});
