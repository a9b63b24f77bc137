/** What every protocol must do with the membership of dkv.v1, as a suite that runs over any of them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema, MembershipAPI, Retry, ServerSchema } from "@dkv/protocol/dkv/v1/dkv";
import { logIndex, nodeId } from "@dkv/raft";
import { DkvError } from "../../src/platform/errors.ts";
import { type ClientPort, openClientPort } from "./client-port.ts";
import type { Protocol } from "./contract.ts";
import { failureOf, refusal } from "./refusal.ts";

interface Opened extends ClientPort {
  readonly membership: Client<typeof MembershipAPI>;
}

export function membershipContract(name: string, protocol: Protocol): void {
  const open = async (t: TestContext): Promise<Opened> => {
    const port = await openClientPort(t, protocol.port);
    return { ...port, membership: createClient(MembershipAPI, protocol.transport(port.url)) };
  };

  describe(`membership over ${name}`, () => {
    it("lists the members, and leaves out what nobody could say", async (t) => {
      const { membership, member } = await open(t);
      member.others = [
        {
          id: nodeId(7n),
          name: "two",
          peerAddress: "localhost:2381",
          clientAddress: "",
          role: "learner",
          isLeader: false,
          isReachable: false,
          match: undefined,
          lag: undefined,
          version: "",
          lastContactMs: undefined,
          isCorrupt: false,
          replaces: undefined,
        },
        {
          id: nodeId(8n),
          name: "three",
          peerAddress: "localhost:2382",
          clientAddress: "",
          role: "learner",
          isLeader: false,
          isReachable: true,
          match: logIndex(0),
          lag: 2 ** 50,
          version: "0.9.0",
          lastContactMs: 12.7,
          isCorrupt: true,
          replaces: nodeId(0x8000_0000_0000_0001n),
        },
      ];
      const { servers } = await membership.getServers({});
      const expected = [
        {
          id: "one",
          raftAddress: "localhost:2380",
          rpcAddress: "localhost:3000",
          isLeader: true,
          memberId: 0x8000_0000_0000_0001n,
          isReachable: true,
          match: 1n,
          lag: 0n,
          version: "1.2.3",
          lastContactMs: 0n,
        },
        { id: "two", raftAddress: "localhost:2381", memberId: 7n, isLearner: true },
        {
          id: "three",
          raftAddress: "localhost:2382",
          memberId: 8n,
          isReachable: true,
          isLearner: true,
          match: 0n,
          lag: 1n << 50n,
          version: "0.9.0",
          lastContactMs: 13n,
          isCorrupt: true,
          replaces: 0x8000_0000_0000_0001n,
        },
      ];
      assert.deepEqual(
        servers,
        expected.map((server) => create(ServerSchema, server)),
      );
    });

    it("hands each change on, with addresses as all members write them", async (t) => {
      const { membership, member } = await open(t);
      const answers = [
        await membership.joinServer({ id: "grüße 3", address: "localhost:02383" }),
        await membership.promoteServer({ id: "grüße 3" }),
        await membership.updateServer({ id: "one", address: "[::1]:2380" }),
        await membership.replaceServer({ oldId: "one", id: "four", address: "10.0.0.4:2380" }),
        await membership.leaveServer({ id: "two" }),
        await membership.moveLeader({ id: "four" }),
      ];
      assert.deepEqual(member.changes, [
        { kind: "join", name: "grüße 3", peerAddress: "localhost:2383" },
        { kind: "promote", name: "grüße 3" },
        { kind: "update", name: "one", peerAddress: "[::1]:2380" },
        { kind: "replace", old: "one", name: "four", peerAddress: "10.0.0.4:2380" },
        { kind: "leave", name: "two" },
        { kind: "moveLeader", name: "four" },
      ]);
      assert.deepEqual(
        answers.map(({ header }) => header?.leader),
        ["one", "one", "one", "one", "one", "four"],
      );
    });

    it("refuses what cannot be the name of a member, and says what to write", async (t) => {
      const { membership, member } = await open(t);
      const names = [
        ["", "id is empty: write the name of a member"],
        ["a=b", 'id is "a=b": write a name without "=", commas'],
        ["a,b", 'without "="'],
        ["a\nb", String.raw`id is "a\nb"`],
        ["a\u{7f}", 'without "="'],
        ["a\u{2028}b", 'without "="'],
        [" a", "blanks around it"],
        ["ü".repeat(128), "at most 255 bytes"],
      ] as const;
      const address = "localhost:2383";
      for (const [id, words] of names) {
        const isRefusal = refusal(Code.InvalidArgument, words);
        await assert.rejects(membership.joinServer({ id, address }), isRefusal);
        await assert.rejects(membership.leaveServer({ id }), isRefusal);
        await assert.rejects(membership.promoteServer({ id }), isRefusal);
        await assert.rejects(membership.updateServer({ id, address }), isRefusal);
        await assert.rejects(membership.moveLeader({ id }), isRefusal);
        await assert.rejects(membership.replaceServer({ oldId: "one", id, address }), isRefusal);
        await assert.rejects(
          membership.replaceServer({ oldId: id, id: "four", address }),
          refusal(Code.InvalidArgument, words.replace(/^id/, "old_id")),
        );
      }
      assert.deepEqual(member.changes, []);
      await membership.leaveServer({ id: `${"ü".repeat(127)}x` });
    });

    it("refuses an address that the other members could not dial, and says what to write", async (t) => {
      const { membership, member } = await open(t);
      const addresses = [
        ["", "address is empty: write HOST:PORT"],
        ["localhost", "write HOST:PORT"],
        ["localhost:65536", "write HOST:PORT"],
        ["http://localhost:2380", "write HOST:PORT"],
        ["local host:2380", "write HOST:PORT"],
        ["::1:2380", "write HOST:PORT"],
        ["localhost:2380,localhost:2381", "write HOST:PORT"],
        [":2380", "write the host too"],
        ["0.0.0.0:2380", "write the host too"],
        ["[::]:2380", "write the host too"],
        ["localhost:0", "write the port"],
      ] as const;
      for (const [address, words] of addresses) {
        const isRefusal = refusal(Code.InvalidArgument, words);
        await assert.rejects(membership.joinServer({ id: "two", address }), isRefusal);
        await assert.rejects(membership.updateServer({ id: "two", address }), isRefusal);
        await assert.rejects(membership.replaceServer({ oldId: "one", id: "two", address }), isRefusal);
      }
      assert.deepEqual(member.changes, []);
    });

    for (const { code, status, retry } of [
      { code: "unknownMember", status: Code.NotFound, retry: Retry.NEVER },
      { code: "memberExists", status: Code.AlreadyExists, retry: Retry.NEVER },
      { code: "changeInProgress", status: Code.Unavailable, retry: Retry.NOT_APPLIED },
      { code: "quorumAtRisk", status: Code.FailedPrecondition, retry: Retry.NEVER },
      { code: "notCaughtUp", status: Code.FailedPrecondition, retry: Retry.NOT_APPLIED },
      { code: "notVoter", status: Code.FailedPrecondition, retry: Retry.NEVER },
    ] as const) {
      it(`reports ${code} with the reason, and whether to try again`, async (t) => {
        const { membership, member } = await open(t);
        member.failure = new DkvError(code, `the reason of ${code}`);
        for (const method of ["leaveServer", "moveLeader"] as const) {
          const error = await failureOf(membership[method]({ id: "two" }));
          assert.equal(error.code, status);
          assert.equal(error.rawMessage, `the reason of ${code}`);
          assert.equal(error.findDetails(ErrorDetailSchema)[0]?.retry, retry);
        }
      });
    }

    it("lists the members without a quorum", async (t) => {
      const { membership, member } = await open(t);
      member.hasQuorum = false;
      assert.equal((await membership.getServers({})).servers.length, 1);
    });

    it("passes the client's deadline on", async (t) => {
      const { membership, member } = await open(t);
      const options = { timeoutMs: 10_000 };
      await membership.leaveServer({ id: "two" }, options);
      await membership.moveLeader({ id: "two" }, options);
      await membership.getServers({}, options);
      assert.equal(member.timeouts.length, 3);
      for (const timeoutMs of member.timeouts) {
        assert.ok(timeoutMs !== undefined && timeoutMs > 0 && timeoutMs <= 10_000, String(timeoutMs));
      }
    });
  });
}
