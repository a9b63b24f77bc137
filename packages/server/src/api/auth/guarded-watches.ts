/**
 * Watches as one user sees them: each is over when the user may not see any more what it tells, and all of
 * them are when nobody is that user any more.
 */
import type { AuthState, Interval, Revision } from "@dkv/store";
import type { WatchMessage, WatchSpec, WatchStream } from "../../consensus/member.ts";
import type { Member } from "../../consensus/member.ts";
import { permissionDenied, type Rights } from "./rights.ts";

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
    if (messages === undefined || this.#rights.auth === this.#allowedBy) return messages;
    const forbidden = this.#endForbidden();
    const isLeft = (message: WatchMessage): boolean =>
      message.kind === "progress" || this.#watched.has(message.id);
    return [...forbidden, ...messages.filter(isLeft)];
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

  /** Throws a DkvError, and ends the stream, if its user may not watch anything at all. */
  #endForbidden(): readonly WatchMessage[] {
    const { auth } = this.#rights;
    try {
      this.#rights.needUser();
    } catch (error) {
      this.#stream.close();
      throw error;
    }
    this.#allowedBy = auth;
    const ids = [...this.#watched].filter(([, interval]) => !this.#rights.may("read", interval));
    return ids.map(([id]) => {
      this.cancel(id);
      return { kind: "forbidden", id, error: permissionDenied() };
    });
  }
}
