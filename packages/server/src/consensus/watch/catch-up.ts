/**
 * Watches that want what was applied earlier. History is read a stretch at a time, and told to all who are
 * somewhere in it; what is applied meanwhile is added to the last stretch, so that at its end they are up to
 * date at once, without a gap and without a repeat.
 *
 *   told so far   ──┤ a stretch ├──┤ applied while it was read ├── now: they follow
 *
 * Every other stretch goes to those who lack the least; between these, one goes through all of history,
 * collects everybody on its way, and begins again with the oldest. So nobody waits for somebody else's long
 * way, and those who come from far away share theirs.
 */
import type { Change, Revision, Store } from "@dkv/store";
import type { Clock } from "../../platform/clock.ts";
import { readStretch, Stretch } from "./stretch.ts";
import { WatchIndex } from "./watch-index.ts";
import type { Batch, Outlet, Watcher } from "./watcher.ts";

/** Changes looked at, and messages made of them, before others have their turn: some milliseconds. */
const turnWork = 5000;

export interface CatchUpDeps {
  readonly store: Pick<Store, "revision" | "compaction" | "history">;
  readonly clock: Pick<Clock, "soon">;
  /** Memory that a stretch may take, roughly; twice that with what is applied while it is used. */
  readonly stretchBytes: number;
  readonly deliver: (watcher: Watcher, batch: Batch) => void;
  /** What it wants next was given up. */
  readonly compacted: (watcher: Watcher) => void;
  /** Nothing is left to tell it: it goes on from the revision after the current one. */
  readonly caughtUp: (watcher: Watcher) => void;
  /** The history cannot be read. */
  readonly failed: (error: unknown) => void;
}

/** Where those stand who wait. */
interface Survey {
  /** Of those in what is left to tell of the stretch. */
  readonly within: Revision | undefined;
  readonly newest: Revision;
  /** The first at or behind the place that the way through all history has come to. */
  readonly ahead: Revision | undefined;
  readonly oldest: Revision;
}

export class CatchUp {
  readonly #deps: CatchUpDeps;
  readonly #index = new WatchIndex();
  readonly #waiting = new Set<Watcher>();
  #stretch: Stretch | undefined;
  /** How far the stretch was told: who comes later does not hold up those who are not in it. */
  #told: Revision = 0;
  /** To which is added what is applied. */
  #live: Stretch | undefined;
  /** Up to where the way through all history has come. */
  #passed: Revision = 0;
  #isPassing = false;
  #isRunning = false;
  #isStopped = false;
  /** Counts the states of which this was told that they have replaced another one. */
  #states = 0;

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
  }

  /** Its next revision is there already. */
  add(watcher: Watcher): void {
    this.#waiting.add(watcher);
    this.#index.add(watcher);
    if (!this.#isRunning) void this.#run();
  }

  remove(watcher: Watcher): void {
    this.#waiting.delete(watcher);
    this.#index.remove(watcher);
  }

  applied(changes: readonly Change[]): void {
    this.#live?.append(changes);
    if (this.#live !== undefined && this.#live.bytes > 2 * this.#deps.stretchBytes) this.#live = undefined;
  }

  /** Another state has taken the place of what was applied here. */
  restored(): void {
    this.#states += 1;
    this.#live = undefined;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      // Those who come at the same time begin together.
      await this.#others();
      while (this.#isGoingOn()) {
        await this.#step();
        await this.#others();
      }
    } catch (error) {
      if (!this.#isStopped) this.#deps.failed(error);
    } finally {
      this.#isRunning = false;
      this.#stretch = undefined;
      this.#live = undefined;
    }
  }

  #isGoingOn(): boolean {
    return !this.#isStopped && this.#waiting.size > 0;
  }

  #others(): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.clock.soon(resolve);
    });
  }

  async #step(): Promise<void> {
    let survey = this.#survey();
    if (survey !== undefined && survey.within === undefined) {
      await this.#read(this.#choose(survey));
      if (this.#isStopped) return;
      survey = this.#survey();
    }
    if (survey?.within !== undefined && this.#stretch !== undefined) this.#tell(this.#stretch, survey.within);
  }

  /**
   * Ends those whose next revision was given up: what was read of it may be incomplete. Undefined if nobody
   * is left.
   */
  #survey(): Survey | undefined {
    const { revision: compacted } = this.#deps.store.compaction;
    let [oldest, newest] = [Number.POSITIVE_INFINITY, 0];
    let [ahead, within] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const through = this.#stretch?.through ?? 0;
    for (const watcher of this.#waiting) {
      const { next } = watcher;
      if (next < compacted) {
        this.#deps.compacted(watcher);
        continue;
      }
      if (next < oldest) oldest = next;
      if (next > newest) newest = next;
      if (next > this.#passed && next < ahead) ahead = next;
      if (next > this.#told && next <= through && next < within) within = next;
    }
    if (newest === 0) return undefined;
    return { oldest, newest, ahead: known(ahead), within: known(within) };
  }

  #choose({ oldest, newest, ahead = oldest }: Survey): Revision {
    this.#isPassing = !this.#isPassing;
    return this.#isPassing ? ahead : newest;
  }

  async #read(from: Revision): Promise<void> {
    const { store, stretchBytes } = this.#deps;
    const { revision } = store;
    const states = this.#states;
    const live = new Stretch(revision + 1);
    this.#live = live;
    this.#stretch = undefined;
    try {
      const history = store.history({ revision: from, sub: 0 }, revision);
      const stretch = await readStretch(history, [from, revision], stretchBytes);
      if (states !== this.#states) return;
      if (this.#isPassing) this.#passed = stretch.through;
      const isLatest = stretch.through === revision && this.#live === live;
      if (isLatest) stretch.join(live);
      this.#live = isLatest ? stretch : undefined;
      this.#stretch = stretch;
      this.#told = from - 1;
    } catch (error) {
      // The disk that was read is closed when another state takes over: it is read there.
      if (states === this.#states) throw error;
    }
  }

  /** Tells those in the stretch what it has, from a revision on, as far as one turn goes. */
  #tell(stretch: Stretch, first: Revision): void {
    const { store, deliver, caughtUp } = this.#deps;
    let work = 0;
    let { through } = stretch;
    for (const { revision, changes } of stretch.after(first)) {
      work += this.#index.tell(revision, changes, (watcher, batch) => {
        // Who lacks something that is before the stretch is told that first.
        if (watcher.next >= first) deliver(watcher, batch);
      });
      if (work < turnWork) continue;
      through = revision;
      break;
    }
    this.#told = through;
    const outlets = new Set<Outlet>();
    for (const watcher of this.#waiting) {
      if (watcher.next < first || watcher.next > through) continue;
      watcher.next = through + 1;
      if (through < store.revision) continue;
      this.remove(watcher);
      caughtUp(watcher);
      outlets.add(watcher.outlet);
    }
    for (const outlet of outlets) outlet.advanced();
  }
}

const known = (revision: Revision): Revision | undefined =>
  revision === Number.POSITIVE_INFINITY ? undefined : revision;
