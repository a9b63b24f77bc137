import type { Target } from "../http2/dial.ts";
import { type Child, type Command, startProcess } from "../platform/processes.ts";
import type { DoorName } from "../workload/socket-method.ts";
import type { MemberProcess } from "./system.ts";

/** What a member is made of; its process comes and goes. */
export interface LocalMemberParts {
  readonly name: string;
  /** Where clients reach it. */
  readonly target: Target;
  /** Where it serves other protocols. */
  readonly doors: Readonly<Partial<Record<DoorName, Target>>>;
  /** `host:port`. */
  readonly peerAddress: string;
  readonly dataDir: string;
  readonly command: Command;
}

/** A member on this machine: a process while it runs, which can be taken away and brought back. */
export class LocalMember implements MemberProcess {
  readonly name: string;
  readonly target: Target;
  readonly doors: Readonly<Partial<Record<DoorName, Target>>>;
  readonly peerAddress: string;
  readonly dataDir: string;
  readonly #command: Command;
  #child: Child | undefined;

  constructor(parts: LocalMemberParts) {
    this.name = parts.name;
    this.target = parts.target;
    this.doors = parts.doors;
    this.peerAddress = parts.peerAddress;
    this.dataDir = parts.dataDir;
    this.#command = parts.command;
  }

  /** 0 while it does not run, which is no process's number. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Whether it was started and not taken away since. */
  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when there is a process; whether it answers is another question. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} is running already`);
    this.#child = await startProcess(this.#command);
  }

  /** Asks it to end and insists after a while. Does nothing if it does not run. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.stop();
  }

  /** Takes it away without a word: kill -9. Does nothing if it does not run. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.kill();
  }

  /** Throws, with what it printed last, if it should run and has ended by itself. */
  checkAlive(): void {
    const ending = this.#child?.ending();
    if (this.#child === undefined || ending === undefined) return;
    throw new Error(`${this.name} ended ${ending}:\n${this.lastWords()}`);
  }

  /** The last lines that it printed in this life; none while it does not run. */
  lastWords(): string {
    return this.#child?.lastWords() ?? "";
  }
}
