import { sleep } from "../platform/clock.ts";
import { restMs } from "./lane.ts";
import type { Recorder } from "./recorder.ts";
import type { SocketMethod } from "./socket-method.ts";
import type { DialledSocket } from "./dial-socket.ts";
import { type Data, RequestBody } from "./work.ts";

/** What the clients of one connection have in common. */
export interface SocketJob {
  readonly method: SocketMethod;
  readonly data: Data;
  readonly recorder: Recorder;
  readonly isOver: () => boolean;
  readonly nowMs: () => number;
}

/** Commands in flight on one connection, in the order of their answers: each that is answered makes room for one. */
export class SocketClients {
  readonly #job: SocketJob;
  readonly #socket: DialledSocket;
  readonly #clients: number;
  readonly #body: RequestBody;
  readonly #done = Promise.withResolvers<void>();
  /** When those were sent that are not answered, in their order: a ring, as large as there can be. */
  readonly #startedMs: Float64Array;
  #oldest = 0;
  #open = 0;
  #resting = 0;
  #hasEnded = false;

  constructor(job: SocketJob, socket: DialledSocket, clients: number) {
    this.#job = job;
    this.#socket = socket;
    this.#clients = clients;
    this.#body = new RequestBody(job.method, job.data, (message) => Buffer.from(message));
    this.#startedMs = new Float64Array(clients);
  }

  /** Resolves when it is over and all that was sent is answered, or the connection has ended. Never rejects. */
  async run(): Promise<void> {
    const { method, nowMs } = this.#job;
    const reader = method.reader();
    this.#socket.serve({
      onData: (chunk) => {
        const atMs = nowMs();
        let answered = 0;
        reader.accept(chunk, (problem) => {
          if (this.#answered(problem, atMs)) answered += 1;
        });
        this.#goOn(answered, atMs);
      },
      onEnd: (reason) => {
        this.#hasEnded = true;
        for (let open = this.#open; open > 0; open -= 1) this.#job.recorder.failed(reason);
        this.#done.resolve();
      },
    });
    this.#send(this.#clients, nowMs());
    await this.#done.promise;
  }

  /** Whether another command may be sent for it at once. */
  #answered(problem: string | undefined, atMs: number): boolean {
    const { recorder } = this.#job;
    if (this.#open === 0) {
      recorder.failed("an answer to no command");
      return false;
    }
    const startedMs = this.#startedMs[this.#oldest] ?? atMs;
    this.#oldest = (this.#oldest + 1) % this.#clients;
    this.#open -= 1;
    if (problem === undefined) {
      recorder.succeeded(startedMs, atMs);
      return true;
    }
    recorder.failed(problem);
    void this.#rest();
    return false;
  }

  async #rest(): Promise<void> {
    this.#resting += 1;
    await sleep(restMs);
    this.#resting -= 1;
    if (!this.#hasEnded) this.#goOn(1, this.#job.nowMs());
  }

  #goOn(commands: number, atMs: number): void {
    if (!this.#job.isOver()) this.#send(commands, atMs);
    else if (this.#open === 0 && this.#resting === 0) this.#done.resolve();
  }

  /** All in one write. */
  #send(commands: number, atMs: number): void {
    if (commands === 0) return;
    const { data, method } = this.#job;
    const { bytes } = this.#body;
    const pack = Buffer.allocUnsafe(commands * bytes);
    for (let at = 0; at < commands; at += 1) {
      this.#body.write(pack, at * bytes, data.nextKey(method.setsOnce));
      this.#startedMs[(this.#oldest + this.#open) % this.#clients] = atMs;
      this.#open += 1;
    }
    this.#socket.write(pack);
  }
}
