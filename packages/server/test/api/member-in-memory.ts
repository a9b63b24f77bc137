import { logIndex, nodeId, term } from "@dkv/raft";
import { chunksOf, encodeHeader, type StateRecord } from "@dkv/snapshot";
import { encodePosition, positionKey, type ApplyResult, type KeyValue, type Operation } from "@dkv/store";
import type {
  CheckReport,
  Member,
  MembershipChange,
  MemberStatus,
  MemberView,
} from "../../src/consensus/member.ts";
import { DkvError } from "../../src/platform/errors.ts";
import type { StateSnapshot } from "../../src/storage/storage.ts";

/** A member of its own cluster of one that keeps keys in a map, and fails when it is told to. */
export class MemberInMemory implements Member {
  /** What the next calls fail with. */
  failure: Error | undefined;
  /** While true, writes and linearizable reads wait until their time is up, as without a quorum. */
  hasQuorum = true;
  leader = "one";
  isCorrupt = false;
  /** Milliseconds that callers were willing to wait, as they came. */
  readonly timeouts: (number | undefined)[] = [];
  /** Writes that were asked for, done or not. */
  proposals = 0;
  /** Changes of the membership that were asked for, and names that leadership was to go to. */
  readonly changes: (MembershipChange | { readonly kind: "moveLeader"; readonly name: string })[] = [];
  /** Members beside this one, which are listed after it. */
  others: readonly MemberView[] = [];
  /** What a check gives. */
  report: CheckReport = { index: logIndex(1), hasMajority: true, members: [] };
  /** What snapshots have in them, and how many of those are not closed. */
  records: () => AsyncGenerator<StateRecord> = positionOnly;
  openSnapshots = 0;
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
      isCorrupt: this.isCorrupt,
    };
  }

  members(timeoutMs?: number): Promise<readonly MemberView[]> {
    this.timeouts.push(timeoutMs);
    const { memberId, name } = this.status();
    const self: MemberView = {
      id: memberId,
      name,
      peerAddress: "localhost:2380",
      clientAddress: "localhost:3000",
      role: "voter",
      isLeader: true,
      isReachable: true,
      match: logIndex(this.#applied),
      lag: 0,
      version: "1.2.3",
      lastContactMs: 0,
      isCorrupt: this.isCorrupt,
      replaces: undefined,
    };
    return Promise.resolve([self, ...this.others]);
  }

  async changeMembership(change: MembershipChange, timeoutMs?: number): Promise<void> {
    this.changes.push(change);
    await this.#quorum(timeoutMs, "writeTimeout");
  }

  async moveLeader(name: string, timeoutMs?: number): Promise<void> {
    this.changes.push({ kind: "moveLeader", name });
    await this.#quorum(timeoutMs, "writeTimeout");
    this.leader = name;
  }

  async check(timeoutMs?: number): Promise<CheckReport> {
    await this.#quorum(timeoutMs, "writeTimeout");
    return this.report;
  }

  takeSnapshot(): Promise<StateSnapshot> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.openSnapshots += 1;
    const { clusterId, memberId, appliedIndex, term: ofTerm, revision } = this.status();
    const header = {
      snapshotId: 1n,
      clusterId,
      last: { index: appliedIndex, term: ofTerm },
      configuration: { voters: [memberId], outgoing: [], learners: [], context: new Uint8Array() },
      revision,
    };
    return Promise.resolve({
      header,
      chunks: (skip) => chunksOf(this.records(), { header: encodeHeader(header), skip }),
      close: () => {
        this.openSnapshots -= 1;
        return Promise.resolve();
      },
    });
  }

  async #quorum(timeoutMs: number | undefined, code: "readTimeout" | "writeTimeout"): Promise<void> {
    this.timeouts.push(timeoutMs);
    if (this.failure !== undefined) throw this.failure;
    if (this.hasQuorum) return;
    await new Promise((resolve) => setTimeout(resolve, timeoutMs ?? 5000));
    throw new DkvError(code, "there is no quorum");
  }
}

/** The state of a member that nothing was written to. */
async function* positionOnly(): AsyncGenerator<StateRecord> {
  yield await Promise.resolve([
    positionKey,
    encodePosition({ appliedIndex: 1, appliedTerm: 3, revision: 1 }),
  ] as const);
}
