import { encodeBackup } from "@dkv/snapshot";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Running } from "../running.ts";

/** Backups that are streamed at the same time: each keeps a chunk in memory, and on disk what it was taken of. */
const maxBackups = 4;

/** Far below what any client takes as one message. A chunk may be larger. */
const maxPieceBytes = 256 * 1024;

export interface BackupRequest {
  /** Whether whatever this member has will do. */
  readonly serializable: boolean;
  /** Aborted when the client has gone, or the member is stopping. */
  readonly signal: AbortSignal;
}

export class BackupService {
  readonly #member: Pick<Member, "readBarrier" | "takeSnapshot">;
  readonly #running: Running;

  /** @param running those of all users */
  constructor(member: Pick<Member, "readBarrier" | "takeSnapshot">, running: Running = { count: 0 }) {
    this.#member = member;
    this.#running = running;
  }

  /** The bytes of a backup file, no faster than they are taken. Throws DkvError. */
  async *stream(request: BackupRequest): AsyncGenerator<{ readonly piece: Uint8Array }> {
    if (this.#running.count >= maxBackups) {
      throw new DkvError(
        "overloaded",
        `${String(maxBackups)} backups are being made of this member: wait for one to end, or ask another member`,
      );
    }
    this.#running.count += 1;
    try {
      yield* this.#pieces(request);
    } finally {
      this.#running.count -= 1;
    }
  }

  async *#pieces({ serializable, signal }: BackupRequest): AsyncGenerator<{ readonly piece: Uint8Array }> {
    if (!serializable) await this.#member.readBarrier();
    const snapshot = await this.#member.takeSnapshot();
    try {
      for await (const bytes of encodeBackup(snapshot)) {
        for (let offset = 0; offset < bytes.length; offset += maxPieceBytes) {
          signal.throwIfAborted();
          yield { piece: bytes.subarray(offset, offset + maxPieceBytes) };
        }
      }
    } finally {
      await snapshot.close();
    }
  }
}
