import assert from "node:assert/strict";
import { test } from "node:test";

import { client, member } from "./fixture.ts";
import { ScriptedMember } from "./scripted-member.ts";

test("writes go to the leader by the address that the members tell", async (t) => {
  const [follower, leader] = [await member(t), await member(t)];
  follower.servers = [
    { id: "dkv-0", rpcAddress: follower.endpoint },
    { id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true },
  ];
  follower.leader = leader.leader = "dkv-1";
  const dkv = client(t, { endpoints: [follower.endpoint] });
  await dkv.set("a", "1");
  await dkv.set("b", "2");
  assert.deepEqual(follower.methods, ["getServers"]);
  assert.deepEqual(leader.methods, ["set", "set"]);
});

test("an answer that names another leader makes the next write go there", async (t) => {
  const [one, two] = [await member(t), await member(t)];
  const servers = (leader: string) => [
    { id: "dkv-0", rpcAddress: one.endpoint, isLeader: leader === "dkv-0" },
    { id: "dkv-1", rpcAddress: two.endpoint, isLeader: leader === "dkv-1" },
  ];
  one.servers = servers("dkv-0");
  one.leader = "dkv-0";
  two.leader = "dkv-1";
  const dkv = client(t, { endpoints: [one.endpoint] });
  await dkv.set("a", "1");
  one.servers = servers("dkv-1");
  one.leader = "dkv-1";
  await dkv.set("b", "2");
  await dkv.set("c", "3");
  assert.deepEqual(one.methods, ["getServers", "set", "set", "getServers"]);
  assert.deepEqual(two.methods, ["set"]);
});

for (const rpcAddress of ["", "0.0.0.0:3000", ":3000", "[::]:3000", "nobody.invalid:3000", "rubbish"]) {
  test(`a leader at "${rpcAddress}" cannot be reached from here: the given endpoint takes the write`, async (t) => {
    const follower = await member(t);
    follower.servers = [{ id: "dkv-1", rpcAddress, isLeader: true }];
    follower.leader = "dkv-1";
    const dkv = client(t, { endpoints: [follower.endpoint] });
    await dkv.set("a", "1");
    await dkv.set("b", "2");
    assert.equal(follower.values.size, 2);
  });
}

test("when the leader goes away, writes go on through the endpoint that was given", async (t) => {
  const [follower, leader] = [await member(t), await ScriptedMember.start()];
  follower.servers = [{ id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true }];
  follower.leader = leader.leader = "dkv-1";
  const dkv = client(t, { endpoints: [follower.endpoint] });
  await dkv.set("a", "1");
  await leader.stop();
  await dkv.set("b", "2");
  assert.deepEqual([...follower.values.keys()], ["b"]);
});

test("many operations at once share one connection and one question for the leader", async (t) => {
  const only = await member(t);
  only.servers = [{ id: "dkv-0", rpcAddress: only.endpoint, isLeader: true }];
  only.leader = "dkv-0";
  const dkv = client(t, { endpoints: [only.endpoint] });
  await Promise.all(Array.from({ length: 50 }, async (_, index) => dkv.set(`k${index}`, "v")));
  assert.equal(only.values.size, 50);
  assert.equal(only.methods.filter((method) => method === "getServers").length, 1);
});
