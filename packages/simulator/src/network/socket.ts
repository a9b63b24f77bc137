/**
 * A TCP connection's end, as far as the transport uses one. Bytes arrive in order or, once the connection is
 * broken, not at all; in chunks of any size; and a reader that is slow holds the writer up.
 */
// oxlint-disable-next-line no-restricted-imports -- Node's sockets are emitters, and this stands in for them
import { EventEmitter } from "node:events";
import type { Life } from "../world/life.ts";
import type { Network } from "./network.ts";

/** What stands between the two ends, in the order of sending: bytes, a FIN, or a reset. */
type Content = Buffer | "fin" | "reset";

interface Item {
  readonly content: Content;
  readonly dueUs: number;
}

const connectionReset = "read ECONNRESET";

interface Reader {
  readonly resolve: (result: IteratorResult<Buffer, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/** The bytes themselves. */
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export class SimSocket extends EventEmitter implements AsyncIterable<Buffer> {
  readonly life: Life;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #network: Network;
  /** The other end; undefined until there is one. */
  remote: SimSocket | undefined;
  /** Accepted by the system, and not yet given to the program. */
  isUnseen = false;
  destroyed = false;
  writableEnded = false;
  /** Written here, and not yet read there. */
  #outstanding = 0;
  #needsDrain = false;
  readonly #outgoing: Item[] = [];
  #isHeld = false;
  #lastDueUs = 0;
  /** Happens in the other end's life, where it is paused with everything else. */
  readonly #deliver = (): void => {
    this.#deliverDue();
  };
  readonly #inbox: Buffer[] = [];
  #isPaused = false;
  #isAtEnd = false;
  #error: Error | undefined;
  #reader: Reader | undefined;
  #onFlushed: (() => void) | undefined;

  constructor(network: Network, life: Life, remote: { readonly machine: number; readonly port: number }) {
    super();
    this.#network = network;
    this.life = life;
    this.remoteAddress = `10.0.0.${String(remote.machine + 1)}`;
    this.remotePort = remote.port;
    network.opened(this);
  }

  get writable(): boolean {
    return !this.destroyed && !this.writableEnded && this.remote !== undefined;
  }

  get writableLength(): number {
    return Math.max(0, this.#outstanding - this.#network.conditions.windowBytes);
  }

  get writableNeedDrain(): boolean {
    return this.#needsDrain;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.writable) return false;
    this.#outstanding += bytes.length;
    this.#enqueue(asBuffer(bytes));
    if (this.writableLength > 0 && !this.#needsDrain) {
      this.#needsDrain = true;
      this.#network.world.probes.reached("writer held up");
    }
    return !this.#needsDrain;
  }

  /** @param onFlushed called when the system has taken everything */
  end(bytes?: Uint8Array, onFlushed?: () => void): this {
    if (bytes !== undefined) this.write(bytes);
    if (this.writableEnded || this.destroyed) return this;
    this.writableEnded = true;
    this.#enqueue("fin");
    this.#onFlushed = onFlushed;
    this.#flushedSoon();
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#error = error;
    if (!this.isUnseen) this.#tell(error);
    if (!this.writableEnded) this.#enqueue("fin");
    this.#network.closed(this);
    return this;
  }

  #tell(error: Error | undefined): void {
    this.life.after(0, "socket", () => {
      if (error !== undefined) this.emit("error", error);
      this.#failReader(error ?? new Error("premature close"));
      this.emit("close");
    });
  }

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  /** The network breaks the connection, within whatever chunk is on its way. */
  cut(): void {
    const first = this.#outgoing[0]?.content;
    this.#outgoing.length = 0;
    if (Buffer.isBuffer(first)) {
      this.#network.world.probes.reached("connection cut within a chunk");
      const kept = this.#network.random.below(first.length + 1);
      this.#enqueue(first.subarray(0, kept));
    }
    this.#enqueue("reset");
  }

  /** The process is over. What its system had taken over still leaves, unless it went down as well. */
  abandon(withWord: boolean): void {
    this.destroyed = true;
    this.#network.closed(this);
    if (withWord) this.#enqueue("reset");
    else this.#outgoing.length = 0;
  }

  /** The connection broke, or was refused; or the other side has closed it. */
  broken(reason: string): void {
    if (!this.destroyed) this.destroy(new Error(reason));
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#read(),
      return: () => {
        this.destroy();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #read(): Promise<IteratorResult<Buffer, undefined>> {
    const bytes = this.#inbox.shift();
    if (bytes !== undefined) {
      this.#consumed(bytes.length);
      return Promise.resolve({ done: false, value: bytes });
    }
    if (this.#isAtEnd) return Promise.resolve({ done: true, value: undefined });
    if (this.destroyed) return Promise.reject(this.#error ?? new Error("premature close"));
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #failReader(error: Error): void {
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  #enqueue(content: Content): void {
    const { remote } = this;
    if (remote === undefined) return;
    const { world, conditions } = this.#network;
    const delayUs = conditions.delayUs(this.life.machine, remote.life.machine);
    const dueUs = Math.max(this.#lastDueUs, world.nowUs + delayUs);
    this.#lastDueUs = dueUs;
    this.#outgoing.push({ content, dueUs });
    if (remote.life.isOver) this.#findOut(remote.life.machine, delayUs);
    else remote.life.after(dueUs - world.nowUs, "bytes", this.#deliver);
  }

  /** A system that knows nothing of the connection says so. One that is down says nothing. */
  #findOut(machine: number, delayUs: number): void {
    this.#outgoing.length = 0;
    this.life.after(2 * delayUs, "socket", () => {
      if (this.#network.isUp(machine)) this.broken("write ECONNRESET");
    });
  }

  #deliverDue(): void {
    const { remote } = this;
    if (remote === undefined || this.#isHeld) return;
    const { world, conditions } = this.#network;
    while ((this.#outgoing[0]?.dueUs ?? Number.POSITIVE_INFINITY) <= world.nowUs) {
      if (conditions.isBlocked(this.life.machine, remote.life.machine)) {
        this.#hold(remote);
        return;
      }
      const { content } = this.#outgoing.shift() ?? {};
      if (content === "fin") remote.#closedByOther();
      else if (content === "reset") remote.broken(connectionReset);
      else if (content !== undefined) this.#deliverChunk(remote, content);
    }
  }

  /** TCP tries again until the way is open. */
  #hold(remote: SimSocket): void {
    this.#isHeld = true;
    this.#network.whenOpen(this.life.machine, remote.life.machine, () => {
      this.#isHeld = false;
      remote.life.after(0, "bytes", this.#deliver);
    });
  }

  #deliverChunk(remote: SimSocket, bytes: Buffer): void {
    const cut = this.#network.conditions.splitAt(bytes.length);
    if (cut > 0) {
      this.#outgoing.unshift({
        content: bytes.subarray(cut),
        dueUs: this.#network.world.nowUs,
      });
      remote.#receive(bytes.subarray(0, cut));
    } else remote.#receive(bytes);
  }

  #receive(bytes: Buffer): void {
    if (this.destroyed) this.#consumed(bytes.length);
    else if (!this.#isPaused) {
      this.#consumed(bytes.length);
      this.emit("data", bytes);
    } else if (this.#reader !== undefined) {
      const { resolve } = this.#reader;
      this.#reader = undefined;
      this.#consumed(bytes.length);
      resolve({ done: false, value: bytes });
    } else this.#inbox.push(bytes);
  }

  #closedByOther(): void {
    if (this.destroyed) return;
    this.#isAtEnd = true;
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
    this.destroy();
  }

  #consumed(bytes: number): void {
    const { remote } = this;
    if (remote === undefined) return;
    remote.#outstanding -= bytes;
    if (remote.writableLength > 0) return;
    remote.#flushedSoon();
    if (!remote.#needsDrain) return;
    remote.#needsDrain = false;
    remote.life.after(0, "socket", () => {
      remote.emit("drain");
    });
  }

  #flushedSoon(): void {
    if (this.#onFlushed === undefined || this.writableLength > 0) return;
    const flushed = this.#onFlushed;
    this.#onFlushed = undefined;
    this.life.after(0, "socket", flushed);
  }
}
