/** Watches as one user sees them: a stream ends when the user may no longer see what one of its watches tells. */
import type { AuthState, Interval, Revision } from "@dkv/store";
import type { WatchMessage, WatchSpec, WatchStream } from "../../consensus/member.ts";
import type { Member } from "../../consensus/member.ts";
import type { Rights } from "./rights.ts";

type Watches = Member["watches"];

export class GuardedWatches implements Watches {
  readonly #watches: Watches;
  readonly #rights: Rights;

  constructor(watches: Watches, rights: Rights) {
    this.#watches = watches;
    this.#rights = rights;
  }

  open(): WatchStream {
    this.#rights.needUser();
    return new GuardedWatchStream(this.#watches.open(), this.#rights);
  }
}

class GuardedWatchStream implements WatchStream {
  readonly #stream: WatchStream;
  readonly #rights: Rights;
  readonly #watched = new Map<number, Interval>();
  /** The rules by which everything that is watched may be seen. */
  #allowedBy: AuthState;
  readonly #checked = (
    messages: readonly WatchMessage[] | undefined,
  ): readonly WatchMessage[] | undefined => {
    if (this.#rights.auth !== this.#allowedBy) this.#checkAll();
    return messages;
  };

  constructor(stream: WatchStream, rights: Rights) {
    this.#stream = stream;
    this.#rights = rights;
    this.#allowedBy = rights.auth;
  }

  create(id: number, spec: WatchSpec): Revision {
    this.#rights.need("read", spec.interval);
    const through = this.#stream.create(id, spec);
    this.#watched.set(id, spec.interval);
    return through;
  }

  cancel(id: number): void {
    this.#watched.delete(id);
    this.#stream.cancel(id);
  }

  requestProgress(): void {
    this.#stream.requestProgress();
  }

  toldThrough(id: number): Revision | undefined {
    return this.#stream.toldThrough(id);
  }

  next(): Promise<readonly WatchMessage[] | undefined> {
    return this.#stream.next().then(this.#checked);
  }

  close(): void {
    this.#stream.close();
  }

  /** Throws a DkvError. */
  #checkAll(): void {
    const { auth } = this.#rights;
    try {
      this.#rights.needUser();
      for (const interval of this.#watched.values()) this.#rights.need("read", interval);
    } catch (error) {
      this.#stream.close();
      throw error;
    }
    this.#allowedBy = auth;
  }
}
