import { logIndex, nodeId, term } from "@dkv/raft";
import type { ApplyResult, KeyValue, Operation } from "@dkv/store";
import type { Member, MemberStatus, MemberView } from "../../src/consensus/member.ts";
import { DkvError } from "../../src/platform/errors.ts";

/** A member of its own cluster of one that keeps keys in a map, and fails when it is told to. */
export class MemberInMemory implements Member {
  /** What the next calls fail with. */
  failure: Error | undefined;
  /** While true, writes and linearizable reads wait until their time is up, as without a quorum. */
  hasQuorum = true;
  leader = "one";
  /** Milliseconds that callers were willing to wait, as they came. */
  readonly timeouts: (number | undefined)[] = [];
  /** Writes that were asked for, done or not. */
  proposals = 0;
  readonly #keys = new Map<string, KeyValue>();
  #revision = 1;
  #applied = 1;

  async propose(operation: Operation, timeoutMs?: number): Promise<ApplyResult> {
    this.proposals += 1;
    await this.#quorum(timeoutMs, "writeTimeout");
    this.#applied += 1;
    const key = Buffer.from(operation.value.key).toString("hex");
    const old = this.#keys.get(key);
    if (operation.case === "delete") {
      this.#revision += old === undefined ? 0 : 1;
      this.#keys.delete(key);
      return { kind: "delete", revision: this.#revision, deleted: old !== undefined };
    }
    this.#revision += 1;
    this.#keys.set(key, {
      key: operation.value.key,
      value: operation.value.value,
      createRevision: old?.createRevision ?? this.#revision,
      modRevision: this.#revision,
      version: (old?.version ?? 0) + 1,
    });
    return { kind: "set", revision: this.#revision };
  }

  readBarrier(timeoutMs?: number): Promise<void> {
    return this.#quorum(timeoutMs, "readTimeout");
  }

  get(key: Uint8Array): KeyValue | undefined {
    return this.#keys.get(Buffer.from(key).toString("hex"));
  }

  status(): MemberStatus {
    return {
      clusterId: 0xfedc_ba98_7654_3210n,
      memberId: nodeId(0x8000_0000_0000_0001n),
      name: "one",
      role: "leader",
      term: term(3),
      leader: this.leader,
      leaderId: this.leader === "" ? undefined : nodeId(0x8000_0000_0000_0001n),
      appliedIndex: logIndex(this.#applied),
      revision: this.#revision,
    };
  }

  members(): readonly MemberView[] {
    const { memberId, name } = this.status();
    const addresses = { peerAddress: "localhost:2380", clientAddress: "localhost:3000" };
    return [{ id: memberId, name, ...addresses, isLeader: true, isReachable: true }];
  }

  async #quorum(timeoutMs: number | undefined, code: "readTimeout" | "writeTimeout"): Promise<void> {
    this.timeouts.push(timeoutMs);
    if (this.failure !== undefined) throw this.failure;
    if (this.hasQuorum) return;
    await new Promise((resolve) => setTimeout(resolve, timeoutMs ?? 5000));
    throw new DkvError(code, "there is no quorum");
  }
}
