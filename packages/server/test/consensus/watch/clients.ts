/** Clients that watch a member which lags behind a leader; all they hear is held against what the leader did. */
import assert from "node:assert/strict";
import { type Change, isWithin, type LoggedOperation } from "@dkv/store";
import type { WatchLimits } from "../../../src/consensus/watch/hub.ts";
import type { WatchEvent, WatchMessage, WatchSpec, WatchStream } from "../../../src/consensus/watch/watch.ts";
import { changeText, World } from "./world.ts";

export class Members {
  readonly leader = new World();
  readonly member: World;
  readonly errors: unknown[] = [];
  readonly #log: LoggedOperation[] = [];

  constructor(limits: WatchLimits) {
    this.member = new World(limits, 15);
  }

  async apply(operation: LoggedOperation): Promise<void> {
    this.#log.push(operation);
    await this.leader.apply(operation);
  }

  async follow(entries: number): Promise<void> {
    const { appliedIndex } = this.member.store;
    await this.member.apply(...this.#log.slice(appliedIndex, appliedIndex + entries));
  }

  install(): void {
    this.leader.save();
    if (this.member.store.appliedIndex < this.#log.length) this.member.restoreFrom(this.leader);
  }
}

/** What was told of one watch. */
class Told {
  readonly spec: WatchSpec;
  readonly first: number;
  readonly events: WatchEvent[] = [];
  through: number;
  compactRevision: number | undefined;

  constructor(spec: WatchSpec, first: number) {
    this.spec = spec;
    this.first = first;
    this.through = first - 1;
  }
}

/** A client: one stream, read by one call at a time. */
export class Client {
  readonly #world: Members;
  readonly #stream: WatchStream;
  readonly #open = new Map<number, Told>();
  readonly #all: Told[] = [];
  #reading: Promise<void> | undefined;
  #progress = 0;

  constructor(world: Members) {
    this.#world = world;
    this.#stream = world.member.open();
  }

  create(id: number, spec: WatchSpec): void {
    if (this.#open.has(id)) return;
    const told = new Told(spec, this.#stream.create(id, spec) + 1);
    assert.equal(told.first, spec.startRevision > 0 ? spec.startRevision : this.#world.member.revision + 1);
    this.#open.set(id, told);
    this.#all.push(told);
  }

  cancel(id: number): void {
    this.#stream.cancel(id);
    this.#open.delete(id);
  }

  /** Asks for what there is to say, unless that was done and nothing has come. */
  read(): void {
    if (this.#reading !== undefined) return;
    const reading = this.#stream.next().then((messages) => {
      this.#reading = undefined;
      assert.ok(messages !== undefined && messages.length > 0);
      for (const message of messages) this.#hear(message);
      this.#checkToldThrough();
    });
    this.#reading = reading;
    // Whoever waits for it is told as well.
    reading.catch((error: unknown) => this.#world.errors.push(error));
  }

  askForProgress(): void {
    this.#stream.requestProgress();
  }

  get latestStart(): number {
    return Math.max(0, ...[...this.#open.values()].map(({ first }) => first));
  }

  /** Reads all there is, and looks at everything that was ever told. */
  async finish(): Promise<void> {
    const { revision } = this.#world.member;
    this.#progress = 0;
    this.#stream.requestProgress();
    while (this.#progress < revision && this.#world.errors.length === 0) {
      this.read();
      await this.#reading;
    }
    for (const told of this.#open.values()) told.through = revision;
    for (const told of this.#all) this.#check(told);
  }

  #hear(message: WatchMessage): void {
    if (message.kind === "progress") {
      this.#progress = message.revision;
      for (const told of this.#open.values()) {
        assert.ok(told.spec.startRevision <= message.revision, "nothing is said before the first revision");
        assert.ok(told.through <= message.revision, "progress never goes back");
        told.through = message.revision;
        this.#check(told);
      }
      return;
    }
    assert.ok(message.kind !== "forbidden", "a member knows no users");
    const told = this.#open.get(message.id) ?? assert.fail("what is told belongs to a watch");
    if (message.kind === "compacted") {
      assert.ok(message.compactRevision > told.through + 1, "what comes next was given up");
      assert.ok(message.compactRevision <= this.#world.leader.store.compaction.revision);
      told.compactRevision = message.compactRevision;
      this.#open.delete(message.id);
    } else {
      assert.ok(
        message.events.length > 0 && message.revision === message.events.at(-1)?.change.made.modRevision,
      );
      told.events.push(...message.events);
      told.through = message.revision;
    }
    this.#check(told);
  }

  /** Everything up to where it was told, in order, once; whole revisions. */
  #check({ spec, first, through, events }: Told): void {
    const expected = this.#world.leader.changes.filter(
      ({ key, made }) =>
        made.modRevision >= first &&
        made.modRevision <= through &&
        isWithin(key, spec.interval) &&
        (made.isDeleted ? spec.wantDeletes : spec.wantSets),
    );
    const texts = (changes: readonly Change[]): readonly string[] => changes.map(changeText);
    assert.deepEqual(texts(events.map(({ change }) => change)), texts(expected));
    for (const event of events) this.#checkPrevious(spec, event);
  }

  #checkPrevious({ wantPrevious }: WatchSpec, { change, previous }: WatchEvent): void {
    const { leader } = this.#world;
    if (!wantPrevious || change.previous === undefined) {
      assert.equal(previous, undefined);
      return;
    }
    if (previous === undefined) {
      assert.ok(change.made.modRevision <= leader.store.compaction.revision, "it was given up");
      return;
    }
    const { revision, sub } = change.previous;
    const replaced = leader.changes.find(({ made }) => made.modRevision === revision && made.sub === sub);
    assert.ok(replaced !== undefined && !replaced.made.isDeleted);
    assert.equal(Buffer.from(previous.value).toString(), replaced.made.value);
    assert.equal(previous.modRevision, revision);
  }

  #checkToldThrough(): void {
    for (const [id, told] of this.#open) {
      const through = this.#stream.toldThrough(id);
      if (through === undefined) assert.ok(told.first > this.#world.member.revision);
      else {
        assert.ok(through >= told.through, "it never goes back");
        told.through = through;
        this.#check(told);
      }
    }
  }
}
