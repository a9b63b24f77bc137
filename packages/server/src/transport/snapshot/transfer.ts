import { encodeHello } from "../../codec/handshake-codec.ts";
import { version } from "../../version.ts";
import { Backoff } from "../backoff.ts";
import { dial } from "../dial.ts";
import { protocolVersion } from "../greeting.ts";
import type { LinkDeps } from "../outbound-link.ts";
import { defaultSnapshotPatienceMs, type TransportOptions } from "../options.ts";
import type { PeerRecord } from "../peer-record.ts";
import { Attempt, type AttemptEnd } from "./attempt.ts";
import type { Pace } from "./pace.ts";
import type { Cargo, SnapshotOutcome, SnapshotTransfer } from "./snapshot.ts";

export interface TransferDeps extends LinkDeps {
  readonly options: TransportOptions;
  readonly pace: Pace;
}

/** Sends one snapshot to one peer, on one connection after the other until it has arrived. */
export class Transfer implements SnapshotTransfer {
  readonly done: Promise<SnapshotOutcome>;
  readonly #peer: PeerRecord;
  readonly #cargo: Cargo;
  readonly #deps: TransferDeps;
  readonly #backoff: Backoff;
  readonly #patienceMs: number;
  #attempt: Attempt | undefined;
  #isCancelled = false;
  #stopWaiting: (() => void) | undefined;
  /** The most chunks that the peer ever had, and since when. */
  #received = 0;
  #progressMs: number;
  #beatMs: number;

  constructor(peer: PeerRecord, cargo: Cargo, deps: TransferDeps) {
    this.#peer = peer;
    this.#cargo = cargo;
    this.#deps = deps;
    this.#backoff = new Backoff(deps.timing.backoff, deps.random);
    this.#patienceMs = deps.options.snapshotPatienceMs ?? defaultSnapshotPatienceMs;
    this.#progressMs = deps.clock.nowMs();
    this.#beatMs = this.#progressMs;
    this.done = this.#run();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#attempt?.cut("the transfer was cancelled");
    this.#stopWaiting?.();
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    // Time in which nothing could arrive does not count.
    if (this.#attempt?.isReading === true) this.#progressMs += nowMs - this.#beatMs;
    this.#beatMs = nowMs;
    if (this.#isImpatient(nowMs)) this.#attempt?.cut("nothing more arrives");
    else this.#attempt?.beat(nowMs);
  }

  async #run(): Promise<SnapshotOutcome> {
    const { logger, clock } = this.#deps;
    const about = { peer: this.#peer.address.name, index: this.#cargo.snapshot.header.last.index };
    for (;;) {
      const end = await this.#try();
      if (end.kind !== "broken") return end;
      if (this.#isCancelled) return { kind: "cancelled" };
      const { reason } = end;
      logger.warn({ ...about, reason, received: this.#received }, "a snapshot broke off");
      if (this.#isImpatient(clock.nowMs())) return { kind: "gaveUp", reason };
      await this.#wait(this.#backoff.next());
    }
  }

  async #try(): Promise<AttemptEnd> {
    if (this.#isCancelled) return { kind: "broken", reason: "the transfer was cancelled" };
    const attempt = new Attempt(this.#dial(), this.#cargo, {
      ...this.#deps,
      onReceived: (chunks) => {
        this.#onReceived(chunks);
      },
    });
    this.#attempt = attempt;
    const end = await attempt.ended;
    this.#attempt = undefined;
    return end;
  }

  #dial() {
    const { options, tlsMaterial } = this.#deps;
    const { id, name, peerAddress } = this.#peer.address;
    const hello = encodeHello({
      protocolVersion,
      clusterId: options.clusterId,
      from: options.self.id,
      to: id,
      clientAddress: options.self.clientAddress,
      version,
      purpose: "snapshot",
      name: options.self.name,
      peerAddress: "",
      incarnation: options.self.incarnation,
      history: options.history(),
    });
    return dial({ peerAddress, name, material: tlsMaterial() }, hello);
  }

  #onReceived(chunks: number): void {
    if (chunks <= this.#received) return;
    this.#received = chunks;
    this.#progressMs = this.#deps.clock.nowMs();
    this.#backoff.reset();
  }

  #isImpatient(nowMs: number): boolean {
    return nowMs - this.#progressMs > this.#patienceMs;
  }

  /** Or until it is cancelled. */
  async #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(delayMs, resolve);
    this.#stopWaiting = resolve;
    await promise;
    cancel();
  }
}
