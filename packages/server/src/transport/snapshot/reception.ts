import type { NodeId, Term } from "@dkv/raft";
import { decodeHeader, decodeTrailer, type SnapshotHeader, type SnapshotTrailer } from "@dkv/snapshot";
import type { Logger } from "pino";
import { DecodeError } from "../../codec/decode-error.ts";
import {
  decodeSnapshotFrame,
  encodeSnapshotAnswer,
  type SnapshotAnswer,
  type SnapshotFrame,
} from "../../codec/snapshot-codec.ts";
import type { Clock } from "../../platform/clock.ts";
import { pingFrame } from "../greeting.ts";
import type { SnapshotConnection } from "../inbound-connection.ts";
import type { Timing } from "../options.ts";
import type { PeerRecord } from "../peer-record.ts";
import type { PeerEvents } from "../peer-transport.ts";
import type { IncomingSnapshot, SnapshotReception } from "./snapshot.ts";

/** `before` resolves when what was received before this one is closed. */
export type Admission =
  | { readonly kind: "admit"; readonly before: Promise<void> }
  | { readonly kind: "refuse"; readonly reason: string };

export interface ReceptionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly clusterId: bigint;
  readonly events: Pick<PeerEvents, "onSnapshot" | "onSnapshotComplete">;
  /** Asked once, with the offer. */
  readonly admit: (term: Term) => Admission;
  /** An offer that was admitted is taken up. */
  readonly onAccepted: (term: Term) => void;
}

/** What is being received. */
interface Receiving {
  readonly incoming: IncomingSnapshot;
  readonly header: SnapshotHeader;
  readonly term: Term;
}

/**
 * One connection on which a peer sends a snapshot. Each chunk is on disk before the next one is read off the
 * socket, so that a fast sender fills nothing but the buffers of the network.
 */
export class Reception {
  readonly from: NodeId;
  /** Resolves when nothing is written to what was received any more. */
  readonly closed: Promise<void>;
  readonly #resolveClosed: () => void;
  readonly #peer: PeerRecord;
  readonly #connection: SnapshotConnection;
  readonly #deps: ReceptionDeps;
  #hasOffer = false;
  #receiving: Receiving | undefined;
  #isBusy = false;
  #isClosing = false;
  /** When it was over; what comes then is not looked at. */
  #overMs: number | undefined;
  #heardMs: number;
  /** Chunks that the peer was told of. */
  #told = 0;

  constructor(peer: PeerRecord, connection: SnapshotConnection, deps: ReceptionDeps) {
    this.from = peer.address.id;
    this.#peer = peer;
    this.#connection = connection;
    this.#deps = deps;
    this.#heardMs = deps.clock.nowMs();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get isOver(): boolean {
    return this.#overMs !== undefined;
  }

  /** Begins to read. */
  start(): void {
    void this.#read();
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    const { silenceMs } = this.#deps.timing;
    const silentSinceMs = this.#overMs ?? (this.#isBusy ? nowMs : this.#heardMs);
    if (nowMs - silentSinceMs > silenceMs) this.cut(`nothing heard for ${String(silenceMs)} ms`);
    else if (!this.isOver) this.#sayHowFar();
  }

  /** Ends it with an answer. */
  refuse(reason: string): void {
    if (this.isOver) return;
    this.#deps.logger.warn({ ...this.#about(), reason }, "refused a snapshot");
    this.#end({ kind: "refused", reason });
  }

  /** Ends it as a broken connection would: the peer may dial again. */
  cut(reason: string): void {
    if (!this.isOver)
      this.#deps.logger.warn({ ...this.#about(), reason }, "gave up a connection for a snapshot");
    this.stop();
  }

  /** The same, without a word. */
  stop(): void {
    this.#over();
    this.#connection.socket.destroy();
  }

  /** The same; what is being done with what was received is interrupted. */
  interrupt(): void {
    this.stop();
    if (this.#receiving !== undefined) void this.#close();
  }

  /** Until the connection ends, whichever side ends it. */
  async #read(): Promise<void> {
    const chunks = (this.#connection.socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      // A connection that broke is one that ended.
      const next = await chunks.next().catch(() => undefined);
      if (next === undefined || next.done === true) break;
      if (!this.isOver) await this.#take(next.value);
    }
    if (this.#receiving !== undefined && !this.isOver)
      this.#deps.logger.warn(this.#about(), "a snapshot broke off; the peer may go on with it");
    this.#over();
  }

  async #take(data: Buffer): Promise<void> {
    this.#isBusy = true;
    try {
      for (const bytes of this.#connection.reader.frames(data)) {
        if (bytes.length > 0) await this.#onFrame(decodeSnapshotFrame(bytes));
        if (this.isOver) break;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.cut(error.message);
    }
    this.#isBusy = false;
    this.#heardMs = this.#deps.clock.nowMs();
    if (this.isOver) await this.#close();
  }

  async #onFrame(frame: SnapshotFrame): Promise<void> {
    if (frame.kind === "offer") {
      if (this.#hasOffer) throw new DecodeError("a second offer on one connection for a snapshot");
      this.#hasOffer = true;
      await this.#onOffer(frame.term, frame.header);
      return;
    }
    const receiving = this.#receiving;
    if (receiving === undefined) throw new DecodeError("chunks of a snapshot before it was offered");
    if (frame.kind === "trailer") await this.#onTrailer(receiving, frame.trailer);
    else await this.#orRefuse(() => receiving.incoming.write(asBuffer(frame.chunk)));
  }

  async #onOffer(term: Term, bytes: Uint8Array): Promise<void> {
    const { admit, onAccepted, events, clusterId } = this.#deps;
    const header = await this.#orRefuse(() => decodeHeader(bytes));
    if (header === undefined) return;
    if (header.clusterId !== clusterId) return this.refuse("it is a snapshot of another cluster");
    const admission = admit(term);
    if (admission.kind === "refuse") return this.refuse(admission.reason);
    await admission.before;
    if (this.isOver) return;
    const reception = await this.#orRefuse<SnapshotReception>(() =>
      events.onSnapshot(this.from, term, header),
    );
    if (reception === undefined) return;
    if (reception.kind === "refuse") return this.refuse(reception.reason);
    onAccepted(term);
    // Also if it is over by now: it has to be closed.
    this.#receiving = { incoming: reception.incoming, header, term };
    if (this.isOver) return;
    this.#told = reception.incoming.received;
    this.#write({ kind: "received", chunks: this.#told });
  }

  async #onTrailer({ incoming, header, term }: Receiving, bytes: Uint8Array): Promise<void> {
    const trailer: SnapshotTrailer | undefined = await this.#orRefuse(async () => {
      const decoded = decodeTrailer(bytes);
      await incoming.finish(decoded);
      return decoded;
    });
    if (trailer === undefined || this.isOver) return;
    this.#over();
    await this.#close();
    this.#deps.events.onSnapshotComplete(this.from, term, header);
    this.#end({ kind: "complete" });
  }

  /** Undefined if it failed, for reasons of what was sent or of this member's disk: then it is refused. */
  async #orRefuse<Result>(work: () => Result | Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      this.refuse(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #sayHowFar(): void {
    const { socket } = this.#connection;
    if (!socket.writable || socket.writableLength > 0) return;
    const received = this.#receiving?.incoming.received ?? 0;
    if (received > this.#told) this.#write({ kind: "received", chunks: received });
    else socket.write(pingFrame);
    this.#told = Math.max(this.#told, received);
  }

  #write(answer: SnapshotAnswer): void {
    const { socket } = this.#connection;
    if (socket.writable) socket.write(encodeSnapshotAnswer(answer));
  }

  /** What still comes is read, and not looked at: with something unread the answer would be lost. */
  #end(answer: SnapshotAnswer): void {
    this.#write(answer);
    this.#connection.socket.end();
    this.#over();
  }

  #over(): void {
    this.#overMs ??= this.#deps.clock.nowMs();
    if (!this.#isBusy) void this.#close();
  }

  async #close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    try {
      await this.#receiving?.incoming.close();
    } catch (error) {
      this.#deps.logger.warn({ ...this.#about(), err: error }, "could not close a snapshot that arrived");
    }
    this.#resolveClosed();
  }

  #about() {
    return { peer: this.#peer.address.name, index: this.#receiving?.header.last.index };
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
