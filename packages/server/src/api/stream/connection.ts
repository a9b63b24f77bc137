/**
 * One connection on which commands come one behind the other and their answers go back in the same order.
 *
 *   bytes of one turn ─▶ requests ─▶ all begun at once
 *                                          │
 *   one write a turn  ◀── answers, as far as all before them are there too
 *
 * A client may send as many as it likes without waiting: beyond a bound nothing more is read of it.
 */
import type { Socket } from "node:net";
import { Arrived } from "./arrived.ts";
import { CommandsInOrder } from "./commands-in-order.ts";
import type { StreamDoorDeps, StreamLimits } from "./door.ts";
import type { Leadership, LeaderWatch } from "./leadership.ts";
import type { Reading, RequestReader, StreamProtocol } from "./protocol.ts";

export interface ConnectionDeps<Request> extends StreamDoorDeps {
  readonly protocol: StreamProtocol<Request>;
  readonly limits: StreamLimits;
  readonly leader: LeaderWatch;
}

const nothing = Buffer.alloc(0);

/** A request of more bytes has memory of its own. */
const largeBytes = 16 * 1024;

export class StreamConnection<Request> {
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps<Request>;
  readonly #reader: RequestReader<Request>;
  readonly #arrived: Arrived;
  readonly #commands: CommandsInOrder;
  /** What came and is not to be read before others are answered; not more than came at once. */
  #unread: Buffer = nothing;
  /** Bytes that were read since the last command. */
  #passedBytes = 0;
  #isScheduled = false;
  /** Since when part of a request is here, or the client has taken no answers; undefined if that is not so. */
  #partSinceMs: number | undefined;
  #blockedSinceMs: number | undefined;
  #untakenBytes = 0;
  /** The next answer is a value, and too much of all clients' is not taken. */
  #lacksRoom = false;
  /** The client says no more. */
  #hasEnd = false;
  /** Nothing more is read: what was read is answered, and then the connection ends. */
  #isEnding = false;
  /** Since when all is answered and the client is waited for to end its side. */
  #endedSinceMs: number | undefined;
  #isGone = false;

  constructor(socket: Socket, deps: ConnectionDeps<Request>) {
    const { rooms, protocol } = deps;
    this.#socket = socket;
    this.#deps = deps;
    this.#reader = protocol.reader();
    this.#arrived = new Arrived(rooms.requests);
    this.#commands = new CommandsInOrder({
      ...deps,
      room: rooms.requests,
      onProgress: () => {
        this.#schedule();
      },
    });
    this.#listen();
  }

  /** Takes no more commands, and ends the connection once those that were taken are answered. */
  drain(): void {
    this.#isEnding = true;
    this.#unread = nothing;
    this.#arrived.take();
    this.#send();
  }

  /** Time has passed: who leads may be another by now, there may be room, and the client may take too long. */
  look(now: Leadership, nowMs: number): void {
    if (now !== "awaited") this.#commands.leadershipIs(now);
    if (this.#lacksRoom) this.#send();
    // The rest of a request is not waited for while none of this connection are read.
    if (this.#partSinceMs !== undefined && this.#isFull) this.#partSinceMs = nowMs;
    const { partTimeoutMs, lingerMs } = this.#deps.limits;
    const isLate = (sinceMs: number | undefined, patienceMs: number): boolean =>
      sinceMs !== undefined && nowMs - sinceMs >= patienceMs;
    if (isLate(this.#partSinceMs, partTimeoutMs)) this.#end(this.#deps.protocol.givenUp);
    if (isLate(this.#blockedSinceMs, this.#answerPatienceMs) || isLate(this.#endedSinceMs, lingerMs))
      this.#cutOff();
  }

  /** Where there is little room for others, who takes no answers has less time. */
  get #answerPatienceMs(): number {
    const { answerTimeoutMs, crowdedAnswerTimeoutMs } = this.#deps.limits;
    const { answers, requests } = this.#deps.rooms;
    return answers.isCrowded || requests.isCrowded ? crowdedAnswerTimeoutMs : answerTimeoutMs;
  }

  /** What it has of the rooms is free at once: no more of them are cut off than have to be. */
  #cutOff(): void {
    this.#leave();
    this.#socket.destroy();
  }

  #leave(): void {
    this.#isGone = true;
    this.#arrived.take();
    this.#taken();
    this.#commands.giveUp();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("data", (piece: Buffer) => {
      this.#receive(piece);
    });
    socket.on("end", () => {
      this.#hasEnd = true;
      if (!this.#hasUnread && !this.#isEnding) this.#readLast();
    });
    socket.on("drain", () => {
      this.#taken();
      this.#send();
    });
    socket.on("close", () => {
      this.#leave();
    });
    // An error is followed by "close".
    socket.on("error", () => undefined);
  }

  #receive(piece: Buffer): void {
    if (this.#isEnding) return;
    if (this.#unread.length > 0) this.#unread = Buffer.concat([this.#unread, piece]);
    else if (this.#arrived.isEmpty) this.#read(piece);
    else if (!this.#arrived.add(piece)) this.#end(this.#deps.protocol.givenUp);
    else if (!this.#arrived.isEnough) return;
    else if (this.#isFull) this.#socket.pause();
    else this.#read(this.#arrived.take());
  }

  /** Something may be read as soon as there is room for more commands. */
  get #hasUnread(): boolean {
    return this.#unread.length > 0 || this.#arrived.isEnough;
  }

  /** Reads as many requests as there are, and as may be begun. */
  #read(arrived: Buffer): void {
    let bytes = arrived;
    let at = 0;
    this.#passedBytes = 0;
    while (at < bytes.length && !this.#isFull && !this.#isEnding) {
      const reading = this.#reader.next(bytes, at);
      if (reading.kind === "part") {
        this.#keep(bytes.subarray(at), reading.wantedBytes);
        at = bytes.length;
      } else {
        this.#partSinceMs = undefined;
        const size = reading.kind === "unreadable" ? 0 : reading.end - at;
        this.#passedBytes += size;
        at = this.#take(reading) ?? bytes.length;
        // A large one would stay in memory as long as the small ones behind it.
        if (size > largeBytes) [bytes, at] = [Buffer.from(bytes.subarray(at)), 0];
      }
    }
    this.#commands.confirmReads();
    if (this.#isEnding) return;
    this.#unread = bytes.subarray(at);
    if (this.#unread.length > 0) this.#socket.pause();
    else if (this.#hasEnd) this.#readLast();
  }

  /** Where the next request begins; undefined if there is none. */
  #take(reading: Exclude<Reading<Request>, { kind: "part" }>): number | undefined {
    switch (reading.kind) {
      case "request":
        this.#commands.add(this.#deps.protocol.command(reading.request), this.#passedBytes);
        this.#passedBytes = 0;
        return reading.end;
      case "nothing":
        return reading.end;
      case "unreadable":
        this.#end(reading.answer);
        return undefined;
    }
  }

  #keep(part: Buffer, wantedBytes: number): void {
    this.#partSinceMs ??= this.#deps.clock.nowMs();
    if (!this.#arrived.add(part, wantedBytes)) this.#end(this.#deps.protocol.givenUp);
  }

  /** The rest of a request will not come. */
  #readLast(): void {
    this.#partSinceMs = undefined;
    const rest = this.#arrived.take();
    this.#passedBytes = rest.length;
    if (rest.length > 0) this.#take(this.#reader.last(rest));
    this.#commands.confirmReads();
    this.drain();
  }

  #end(answer: Buffer): void {
    this.#commands.add({ kind: "answered", answer }, 0);
    this.#partSinceMs = undefined;
    this.drain();
  }

  get #isFull(): boolean {
    const { commands, commandBytes } = this.#deps.limits;
    const { count, bytes } = this.#commands;
    return count >= commands || bytes >= commandBytes || this.#isBlocked || this.#lacksRoom;
  }

  get #isBlocked(): boolean {
    return this.#blockedSinceMs !== undefined;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isGone) return;
    this.#isScheduled = true;
    // Behind all other promises that settle in this turn.
    process.nextTick(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  /** Sends what is in order, and goes on reading if there is room. */
  #send(): void {
    if (this.#isGone || this.#isBlocked) return;
    while (this.#sendSome());
    this.#lacksRoom = !this.#isBlocked && this.#commands.isReadable;
    this.#commands.confirmReads();
    if (this.#isBlocked) return;
    if (this.#isEnding) this.#endIfDone();
    else if (!this.#isFull) this.#resume();
  }

  /** Whether there may be more to be sent at once. */
  #sendSome(): boolean {
    const { limits, rooms } = this.#deps;
    // What is done takes little room: it is not kept back for those who take no values.
    const answers = this.#commands.takeAnswers(limits.writeBytes, !rooms.answers.isFull);
    if (answers.length === 0) return false;
    if (this.#socket.write(Buffer.concat(answers))) return true;
    this.#blockedSinceMs = this.#deps.clock.nowMs();
    this.#untakenBytes = this.#socket.writableLength;
    rooms.answers.takeAnyway(this.#untakenBytes);
    return false;
  }

  /** The client has taken what it was sent. */
  #taken(): void {
    this.#blockedSinceMs = undefined;
    this.#deps.rooms.answers.release(this.#untakenBytes);
    this.#untakenBytes = 0;
  }

  #resume(): void {
    const unread = this.#unread;
    this.#unread = nothing;
    if (unread.length > 0) this.#read(unread);
    else if (this.#arrived.isEnough) this.#read(this.#arrived.take());
    if (!this.#hasUnread) this.#socket.resume();
  }

  /** What still comes is not looked at: were it not taken, the last answer might never arrive. */
  #endIfDone(): void {
    if (this.#commands.count > 0 || this.#endedSinceMs !== undefined) return;
    this.#endedSinceMs = this.#deps.clock.nowMs();
    this.#socket.end();
    this.#socket.resume();
  }
}
