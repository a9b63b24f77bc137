import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind, RemoveHistoryCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { logIndex, nodeId, term } from "@dkv/raft";
import { chunksOf, encodeHeader, type StateRecord } from "@dkv/snapshot";
import {
  type ApplyResult,
  type AuthState,
  type Caller,
  decodeCommand,
  encodeCommand,
  encodePosition,
  type HistoryHash,
  type KeyValue,
  type LoggedOperation,
  type Operation,
  type Origin,
  type PageBounds,
  positionKey,
  type RangeOperation,
  type RangeResult,
  Store,
} from "@dkv/store";
import type {
  CheckReport,
  CommandResult,
  Member,
  MemberAlarm,
  MemberDetails,
  MembershipChange,
  MemberStatus,
  MemberView,
} from "../../src/consensus/member.ts";
import { refusedError } from "../../src/consensus/refusals.ts";
import { DkvError } from "../../src/platform/errors.ts";
import type { StateSnapshot } from "../../src/storage/storage.ts";
import { Disk } from "../../../store/test/disk.ts";
import { LeasesInMemory } from "./leases-in-memory.ts";
import { WatchesInMemory } from "./watches-in-memory.ts";

/** Commands between two saves: what is read stands partly on the disk, and partly in front of it. */
const savePeriod = 5;

const removeHistory = { case: "removeHistory", value: create(RemoveHistoryCommandSchema) } as const;

/** A member of its own cluster of one, with a store on a disk in memory. It fails when it is told to. */
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
  /** Confirmations that what is read is current, and reads. */
  barriers = 0;
  reads = 0;
  /** Changes of the membership that were asked for, and names that leadership was to go to. */
  readonly changes: (MembershipChange | { readonly kind: "moveLeader"; readonly name: string })[] = [];
  /** Members beside this one, which are listed after it. */
  others: readonly MemberView[] = [];
  /** What a check gives. */
  report: CheckReport = { index: logIndex(1), hasMajority: true, members: [] };
  /** What snapshots have in them, and how many of those are not closed. */
  records: () => AsyncGenerator<StateRecord> = positionOnly;
  openSnapshots = 0;
  /** What operators are told besides. */
  about: Partial<MemberDetails> = {};
  readonly disk = new Disk();
  readonly store = new Store(this.disk, { cacheBytes: 1_000_000 });
  readonly watches = new WatchesInMemory(this.store);
  readonly leases = new LeasesInMemory(this.store, (timeoutMs) => this.#quorum(timeoutMs, "readTimeout"));
  /** Resolves when writes may be applied. */
  #writesHeld: Promise<void> = Promise.resolve();
  /** Everything is applied after what came before it. */
  #applied: Promise<unknown> = Promise.resolve();

  constructor() {
    this.store.skip({ index: 1, term: this.status().term });
  }

  get auth(): AuthState {
    return this.store.auth;
  }

  async propose(operation: Operation, timeoutMs?: number, caller?: Caller): Promise<CommandResult> {
    this.proposals += 1;
    await this.#quorum(timeoutMs, "writeTimeout");
    await this.#writesHeld;
    return this.apply(operation, caller);
  }

  /** Has writes wait until the function that it returns is called. Reads go on. */
  holdWrites(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writesHeld = promise;
    return resolve;
  }

  /** As if any member had proposed it. */
  async apply(operation: LoggedOperation, origin?: Origin): Promise<CommandResult> {
    const applying = this.#applied.then(() => this.#apply(operation, origin));
    this.#applied = applying.catch(() => undefined);
    const result = await applying;
    if (result.kind === "refused") throw refusedError(result, this.store.compaction.revision, operation.case);
    return result;
  }

  readBarrier(timeoutMs?: number): Promise<void> {
    this.barriers += 1;
    return this.#quorum(timeoutMs, "readTimeout");
  }

  get(key: Uint8Array): KeyValue | undefined {
    this.reads += 1;
    return this.store.get(key);
  }

  async range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult> {
    this.reads += 1;
    const result = await this.store.range(operation, page);
    if (result.kind === "refused") throw refusedError(result, this.store.compaction.revision);
    return result;
  }

  details(): Promise<MemberDetails> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const { compaction } = this.store;
    return Promise.resolve({
      isLearner: false,
      compactRevision: compaction.revision,
      commitIndex: logIndex(this.store.appliedIndex),
      dataBytes: 2000,
      logBytes: 1000,
      quotaBytes: 0,
      alarms: [],
      leaderChanges: 1,
      waitingWrites: 0,
      failedWrites: 0,
      ...this.about,
    });
  }

  async hashHistory(through: number): Promise<HistoryHash> {
    const result = await this.store.hashHistory(through);
    if (result.kind === "refused") throw refusedError(result, this.store.compaction.revision);
    return result;
  }

  alarms(): readonly MemberAlarm[] {
    return this.store.alarms.map(({ memberId, kind }) => ({
      memberId: nodeId(memberId),
      kind: kind === AlarmKind.NO_SPACE ? "noSpace" : "corrupt",
    }));
  }

  async setNoSpace(memberId: bigint, isRaised: boolean, timeoutMs?: number): Promise<void> {
    await this.#quorum(timeoutMs, "writeTimeout");
    const { clusterId } = this.status();
    const kind = AlarmKind.NO_SPACE;
    const value = create(AlarmCommandSchema, { clusterId, memberId, kind, lift: !isRaised });
    await this.apply({ case: "alarm", value }, "member");
  }

  async historyRemoved(timeoutMs?: number): Promise<void> {
    await this.#quorum(timeoutMs, "writeTimeout");
    while (!this.store.compaction.isRemoved) await this.apply(removeHistory, "member");
  }

  status(): MemberStatus {
    return {
      clusterId: 0xfedc_ba98_7654_3210n,
      memberId: nodeId(0x8000_0000_0000_0001n),
      name: "one",
      role: "leader",
      term: term(3),
      leader: this.leader,
      leaderId: this.#leaderId,
      appliedIndex: logIndex(this.store.appliedIndex),
      revision: this.store.revision,
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
      match: logIndex(this.store.appliedIndex),
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

  get #leaderId(): MemberStatus["leaderId"] {
    if (this.leader === "") return undefined;
    return nodeId(this.leader === "one" ? 0x8000_0000_0000_0001n : 0x8000_0000_0000_0002n);
  }

  async #apply(operation: LoggedOperation, origin: Origin | undefined): Promise<ApplyResult> {
    const { store } = this;
    const command = decodeCommand(encodeCommand({ proposer: 1n, sequence: 1 }, operation, origin));
    const prepared = await store.prepare(command, true);
    const entry = { index: store.appliedIndex + 1, term: this.status().term };
    const { result } = store.apply(entry, command, { prepared, isWanted: true });
    if (store.appliedIndex % savePeriod === 0) {
      this.disk.write(store.takeChanges());
      store.persisted();
    }
    this.watches.wake();
    return result;
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
