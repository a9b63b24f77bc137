/**
 * LeaseKeepAlive: requests are asked of the leader as they come, together, and answered in their order.
 *
 * An answer carries the revision from before the lease was given its time: whoever is told of a revision in
 * which a lease ended cannot be told with it that the lease lives on.
 */
import { Lease, LeaseKeepAliveRequestSchema } from "@dkv/protocol/etcdserverpb/rpc";
import type { Member } from "../../consensus/member.ts";
import type { ErrorTranslator } from "../errors.ts";
import type { StreamCall, StreamClient, StreamMethod } from "../stream-method.ts";
import { decode } from "../unary-method.ts";
import { LeaseFrames } from "./encoding/lease-frames.ts";

/** Requests of one stream that are not answered. */
const maxWaiting = 1000;

type KeepingMember = Pick<Member, "leases" | "status">;

export function keepAliveMethod(member: KeepingMember, translate: ErrorTranslator): StreamMethod {
  const frames = new LeaseFrames();
  return {
    path: `/${Lease.typeName}/${Lease.method.leaseKeepAlive.name}`,
    requests: "many",
    translate,
    open: (client) => new KeepAliveCall(client, member, frames),
  };
}

class KeepAliveCall implements StreamCall {
  readonly #client: StreamClient;
  readonly #member: KeepingMember;
  readonly #frames: LeaseFrames;
  /** Requests that have not been answered; none is answered before those in front of it. */
  readonly #waiting: { frame: Buffer | undefined }[] = [];
  #isBlocked = false;
  #hasEnd = false;
  #isOver = false;

  constructor(client: StreamClient, member: KeepingMember, frames: LeaseFrames) {
    this.#client = client;
    this.#member = member;
    this.#frames = frames;
  }

  get isFull(): boolean {
    return this.#waiting.length >= maxWaiting;
  }

  onMessage(message: Buffer): void {
    const { ID: id } = decode(LeaseKeepAliveRequestSchema, message);
    const status = this.#member.status();
    const header = { status, revision: status.revision };
    const waiting: { frame: Buffer | undefined } = { frame: undefined };
    this.#waiting.push(waiting);
    this.#member.leases.keepAlive(id).then(
      (time) => {
        waiting.frame = this.#frames.frame(header, { id, ttl: time?.grantedTtl ?? 0n });
        this.#answer();
      },
      (error: unknown) => {
        this.#end(error);
      },
    );
  }

  onPause(): void {}

  onEnd(): void {
    this.#hasEnd = true;
    this.#answer();
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#answer();
  }

  onAbort(): void {
    this.#isOver = true;
  }

  #answer(): void {
    if (this.#isOver || this.#isBlocked) return;
    const wasFull = this.isFull;
    const ready: Buffer[] = [];
    while (this.#waiting[0]?.frame !== undefined) {
      const frame = this.#waiting.shift()?.frame;
      if (frame !== undefined) ready.push(frame);
    }
    if (ready.length > 0) this.#isBlocked = this.#client.send(Buffer.concat(ready)) === "waits";
    if (wasFull && !this.isFull) this.#client.resume();
    if (this.#hasEnd && this.#waiting.length === 0) this.#end(undefined);
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.end(error);
  }
}
