/** What every protocol must do with dkv.v1, as a suite that runs over any of them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Client, Code, createClient, type Transport } from "@connectrpc/connect";
import { DkvAPI, ErrorDetailSchema, MembershipAPI, Retry } from "@dkv/protocol/dkv/v1/dkv";
import { DkvError, errorCodes } from "../../src/platform/errors.ts";
import { connectCodes } from "../../src/api/errors.ts";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { failureOf, refusal } from "./refusal.ts";

export interface Protocol {
  readonly port?: PortOptions;
  transport(url: string): Transport;
  /** HTTP/1.1 has no streams in both directions. */
  readonly isHttp1?: boolean;
  /** Whether hot calls are expected to bypass Connect. */
  readonly bypasses: boolean;
}

interface Opened extends ClientPort {
  readonly dkv: Client<typeof DkvAPI>;
  readonly membership: Client<typeof MembershipAPI>;
}

export function dkvContract(name: string, protocol: Protocol): void {
  const open = async (t: TestContext, options: PortOptions = {}): Promise<Opened> => {
    const port = await openClientPort(t, { ...protocol.port, ...options });
    const transport = protocol.transport(port.url);
    return {
      ...port,
      dkv: createClient(DkvAPI, transport),
      membership: createClient(MembershipAPI, transport),
    };
  };

  describe(`dkv.v1 over ${name}`, () => {
    it("reads what was set, with the history of the key", async (t) => {
      const { dkv, bypassed } = await open(t);
      const value = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
      await dkv.set({ key: "schlüssel", value: new Uint8Array() });
      await dkv.set({ key: "schlüssel", value });
      const got = await dkv.get({ key: "schlüssel" });
      assert.deepEqual(Buffer.from(got.value), Buffer.from(value));
      assert.deepEqual([got.createRevision, got.modRevision, got.version], [2n, 3n, 2n]);
      assert.equal(bypassed(), protocol.bypasses ? 3 : 0);
    });

    it("keeps an empty value apart from a missing key", async (t) => {
      const { dkv } = await open(t);
      await dkv.set({ key: "k", value: new Uint8Array() });
      assert.equal((await dkv.get({ key: "k" })).value.length, 0);
      assert.equal((await dkv.delete({ key: "k" })).deleted, true);
      assert.equal((await dkv.delete({ key: "k" })).deleted, false);
      await assert.rejects(dkv.get({ key: "k" }), refusal(Code.NotFound, "key not found"));
    });

    it("says in every answer where and when it was given", async (t) => {
      const { dkv, membership } = await open(t);
      const { header } = await dkv.set({ key: "k", value: Buffer.from("v") });
      assert.ok(header);
      assert.equal(header.clusterId, 0xfedc_ba98_7654_3210n);
      assert.equal(header.memberId, 0x8000_0000_0000_0001n);
      assert.equal(header.leader, "one");
      assert.deepEqual([header.term, header.appliedIndex, header.revision], [3n, 2n, 2n]);
      for (const answer of [
        await dkv.get({ key: "k" }),
        await membership.getServers({}),
        await dkv.delete({ key: "x" }),
      ]) {
        assert.equal(answer.header?.revision, 2n);
      }
    });

    it("reads local state without asking the others, if that is wanted", async (t) => {
      const { dkv, member } = await open(t);
      await dkv.set({ key: "k", value: Buffer.from("v") });
      member.hasQuorum = false;
      assert.equal(Buffer.from((await dkv.get({ key: "k", serializable: true })).value).toString(), "v");
    });

    it("refuses an empty key", async (t) => {
      const { dkv, member } = await open(t);
      const isRefusal = refusal(Code.InvalidArgument, "key is empty");
      await assert.rejects(dkv.get({ key: "" }), isRefusal);
      await assert.rejects(dkv.set({ key: "", value: Buffer.from("v") }), isRefusal);
      await assert.rejects(dkv.delete({ key: "" }), isRefusal);
      assert.equal(member.proposals, 0);
    });

    for (const { size, bytes } of [
      { size: "one byte too large", bytes: 1 },
      { size: "too large to be read at all", bytes: 3 * 1024 * 1024 },
    ]) {
      it(`refuses a request that is ${size}, and names the limit`, async (t) => {
        const limit = 100_000;
        const { dkv, member } = await open(t, { maxRequestBytes: limit });
        await dkv.set({ key: "k", value: new Uint8Array(limit - 1) });
        const tooLarge = dkv.set({ key: "k", value: new Uint8Array(limit - 1 + bytes) });
        await assert.rejects(
          tooLarge,
          refusal(Code.InvalidArgument, "100000 bytes together (--max-request-bytes)"),
        );
        assert.equal(member.proposals, 1);
        assert.equal((await dkv.get({ key: "k" })).value.length, limit - 1);
      });
    }

    it("reports each refusal with its status, its name, what is known of the outcome, and the leader", async (t) => {
      const { dkv, member } = await open(t);
      const retries = {
        notApplied: Retry.NOT_APPLIED,
        outcomeUnknown: Retry.OUTCOME_UNKNOWN,
        never: Retry.NEVER,
      };
      for (const code of errorCodes) {
        const failure = new DkvError(code, `the text of ${code}: 100 % ünïque`);
        member.failure = failure;
        const error = await failureOf(dkv.set({ key: "k" }));
        assert.equal(error.code, connectCodes[code], code);
        assert.equal(error.rawMessage, failure.message);
        const [detail] = error.findDetails(ErrorDetailSchema);
        assert.ok(detail, `${code} has a detail`);
        assert.equal(detail.code.replaceAll("_", ""), code.toLowerCase());
        assert.equal(detail.retry, retries[failure.retry]);
        assert.equal(detail.leader, "one");
      }
    });

    it("names the leader that is known when an error is reported, not an earlier one", async (t) => {
      const { dkv, member } = await open(t);
      for (const leader of ["one", "two", ""]) {
        member.leader = leader;
        const error = await failureOf(dkv.get({ key: "missing" }));
        assert.equal(error.findDetails(ErrorDetailSchema)[0]?.leader, leader);
      }
    });

    it("hides the reason of an unexpected error from the client and shows it in the log", async (t) => {
      const { dkv, member, log } = await open(t);
      member.failure = new TypeError("secret of the house");
      await assert.rejects(dkv.set({ key: "k" }), refusal(Code.Internal, "internal error"));
      assert.equal(log.filter((line) => line.includes("secret of the house")).length, 1);
    });

    it("passes the client's deadline on, and ends with it", async (t) => {
      const { dkv, member } = await open(t);
      member.hasQuorum = false;
      for (const call of [
        () => dkv.set({ key: "k" }, { timeoutMs: 1000 }),
        () => dkv.get({ key: "k" }, { timeoutMs: 1000 }),
      ]) {
        const error = await failureOf(call());
        assert.equal(error.code, Code.DeadlineExceeded);
      }
      assert.equal(member.timeouts.length, 2);
      for (const timeoutMs of member.timeouts) {
        assert.ok(timeoutMs !== undefined && timeoutMs > 0 && timeoutMs <= 1000, String(timeoutMs));
      }
    });

    it("outlives clients that cancel or leave in the middle of a call", async (t) => {
      const { dkv, member } = await open(t);
      member.hasQuorum = false;
      const canceled = Array.from({ length: 20 }, () => {
        const abort = new AbortController();
        setTimeout(() => {
          abort.abort();
        }, 20);
        return assert.rejects(
          dkv.set({ key: "k" }, { signal: abort.signal, timeoutMs: 500 }),
          refusal(Code.Canceled, ""),
        );
      });
      await Promise.all(canceled);
      // The answers, at the end of the 500 ms, find nobody.
      await new Promise((resolve) => setTimeout(resolve, 550));
      member.hasQuorum = true;
      await dkv.set({ key: "k", value: Buffer.from("v") });
      assert.equal(Buffer.from((await dkv.get({ key: "k" })).value).toString(), "v");
    });
  });
}
