import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchRequestSchema, WatchResponse } from "@dkv/protocol/etcdserverpb/rpc";
import { openClientPort } from "../client-port.ts";
import { bytes, refusalOf, textOf } from "../etcd-client.ts";
import { clientsOf, denied, logIn, openRuled } from "./etcd-users.ts";
import { addUser, allow, change, enableRules } from "./rules.ts";

type Request = MessageInitShape<typeof WatchRequestSchema>;

/** Watches that are asked for one after the other. */
class Asking {
  #next: () => void = () => undefined;
  readonly #requests: Request[] = [];
  #isOver = false;

  create(key: string, rangeEnd = ""): void {
    this.#requests.push({
      requestUnion: { case: "createRequest", value: { key: bytes(key), rangeEnd: bytes(rangeEnd) } },
    });
    this.#next();
  }

  end(): void {
    this.#isOver = true;
    this.#next();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request> {
    while (!this.#isOver) {
      const request = this.#requests.shift();
      if (request !== undefined) yield request;
      else
        await new Promise<void>((resolve) => {
          this.#next = resolve;
        });
    }
  }
}

describe("a watch", () => {
  it("is cancelled as it is created if its keys may not be read, and others go on", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "both", key: "a" });
    const { watch, kv } = await logIn(port, "poor");
    const asking = new Asking();
    const answers = watch.watch(asking)[Symbol.asyncIterator]();
    asking.create("a");
    assert.equal((await answers.next()).value?.created, true);
    asking.create("a", "c");
    const refused = (await answers.next()).value;
    assert.deepEqual(
      [refused?.created, refused?.canceled, refused?.watchId, refused?.cancelReason],
      [true, true, -1n, "rpc error: code = PermissionDenied desc = etcdserver: permission denied"],
    );
    await kv.put({ key: bytes("a") });
    assert.equal((await answers.next()).value?.events.length, 1);
    asking.end();
  });

  it("of a token that is not good is cancelled with the reason, and the stream goes on", async (t) => {
    const port = await openRuled(t);
    const { watch } = clientsOf(port, { token: "abc.1" });
    const asking = new Asking();
    const answers = watch.watch(asking)[Symbol.asyncIterator]();
    for (let count = 0; count < 2; count += 1) {
      asking.create("a");
      const { value } = await answers.next();
      assert.equal(
        value?.cancelReason,
        "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
      );
    }
    asking.end();
    assert.equal((await answers.next()).done, true);
  });

  it("is cancelled before it tells what its user may not read any more, and others go on", async (t) => {
    const port = await openRuled(t);
    for (const key of ["a", "b"]) await allow(port.member, "poor", { kind: "read", key });
    const [poor, root] = [await logIn(port, "poor"), await logIn(port, "root")];
    const asking = new Asking();
    const answers = poor.watch.watch(asking)[Symbol.asyncIterator]();
    const next = async (): Promise<readonly unknown[]> => {
      const told: WatchResponse | undefined = (await answers.next()).value;
      const values = (told?.events ?? []).map(({ kv }) => kv && textOf(kv.value));
      return [told?.watchId, told?.cancelReason, ...values];
    };
    for (const key of ["a", "b"]) {
      asking.create(key);
      await answers.next();
    }
    // A change of rules that leaves it what it has.
    await addUser(port.member, "ann");
    await root.kv.put({ key: bytes("a"), value: bytes("told") });
    assert.deepEqual(await next(), [0n, "", "told"]);
    await change(port.member, { case: "revokePermission", value: { role: "poor", key: bytes("a") } });
    await root.kv.put({ key: bytes("a"), value: bytes("not told") });
    const reason = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
    assert.deepEqual(await next(), [0n, reason]);
    await root.kv.put({ key: bytes("a"), value: bytes("not told either") });
    await root.kv.put({ key: bytes("b"), value: bytes("told") });
    assert.deepEqual(await next(), [1n, "", "told"]);
    await change(port.member, { case: "deleteUser", value: { name: "poor" } });
    await root.kv.put({ key: bytes("b"), value: bytes("not told") });
    assert.equal(await refusalOf(answers.next()), denied);
    assert.equal(port.member.watches.openStreams, 0);
    asking.end();
  });

  it("ends before it tells anything to who knows an old password, and no other begins on its stream", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "read", key: "a" });
    const [poor, root] = [await logIn(port, "poor"), await logIn(port, "root")];
    const asking = new Asking();
    const answers = poor.watch.watch(asking)[Symbol.asyncIterator]();
    asking.create("a");
    await answers.next();
    await root.auth.userChangePassword({ name: "poor", password: "another" });
    asking.create("a");
    assert.equal(
      (await answers.next()).value?.cancelReason,
      "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
    );
    await root.kv.put({ key: bytes("a"), value: bytes("not told") });
    assert.equal(await refusalOf(answers.next()), "Unauthenticated: etcdserver: invalid auth token");
    asking.end();
  });

  it("that is asked for without a user, on a stream from before the rules, is cancelled", async (t) => {
    const port = await openClientPort(t);
    const asking = new Asking();
    const answers = clientsOf(port).watch.watch(asking)[Symbol.asyncIterator]();
    asking.create("a");
    await answers.next();
    await enableRules(port.member);
    asking.create("a");
    assert.equal(
      (await answers.next()).value?.cancelReason,
      "rpc error: code = InvalidArgument desc = etcdserver: user name is empty",
    );
    asking.end();
  });

  it("that began without rules ends when there are some", async (t) => {
    const port = await openClientPort(t);
    const asking = new Asking();
    const answers = clientsOf(port).watch.watch(asking)[Symbol.asyncIterator]();
    asking.create("a");
    await answers.next();
    await enableRules(port.member);
    await (await logIn(port, "root")).kv.put({ key: bytes("a"), value: bytes("not told") });
    assert.equal(await refusalOf(answers.next()), "InvalidArgument: etcdserver: user name is empty");
    asking.end();
  });
});
