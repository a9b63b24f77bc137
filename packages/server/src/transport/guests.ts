/**
 * Members of the cluster that our configuration does not know.
 *
 * A member that was away, or is new, has a configuration that is behind: who leads now may not be in it, and
 * nor may the only candidate that can win. If we turned them away we would never hear of the entries that
 * name them. Source: Diss. §4.1. So while we follow nobody we let in who is of our cluster, looks for us, and
 * has a certificate for what it says it is; and who was a peer before stays one, unless it was removed.
 *
 *   stranger ──while we follow nobody──▶ guest ──configuration names it──▶ peer
 *   peer ──an older configuration does not name it──▶ guest ──silent, removed──▶ gone
 */
import type { NodeId } from "@dkv/raft";
import type { Hello } from "../codec/handshake-codec.ts";
import { parseHostPort } from "../platform/address.ts";
import { StartupError } from "../platform/startup-error.ts";
import type { PeerAddress } from "./options.ts";

/** Let in at once: a cluster may have replaced all its members since. */
const maxGuests = 16;

/** A guest that was not heard for so long is let go of. */
const silenceMs = 30_000;

export class Guests {
  /** With the time since when each is one. */
  readonly #sinceMs = new Map<NodeId, number>();

  get hasRoom(): boolean {
    return this.#sinceMs.size < maxGuests;
  }

  get ids(): readonly NodeId[] {
    return [...this.#sinceMs.keys()];
  }

  add(id: NodeId, nowMs: number): void {
    if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
  }

  delete(id: NodeId): void {
    this.#sinceMs.delete(id);
  }

  /** Whether the guest, heard at `heardMs` if ever, has been silent for too long. */
  isGone(id: NodeId, heardMs: number | undefined, nowMs: number): boolean {
    const sinceMs = this.#sinceMs.get(id);
    return sinceMs !== undefined && nowMs - Math.max(sinceMs, heardMs ?? sinceMs) > silenceMs;
  }
}

/** Where a member says that it can be reached; undefined if it does not say, or nobody could dial it. */
export function claimedAddress({ from: id, name, peerAddress }: Hello): PeerAddress | undefined {
  if (name === "" || peerAddress === "") return undefined;
  try {
    parseHostPort(peerAddress, "a peer address");
  } catch (error) {
    if (error instanceof StartupError) return undefined;
    throw error;
  }
  return { id, name, peerAddress, incarnation: 0n };
}
