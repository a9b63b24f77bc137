/** A connection that a member has dialled, and the one to its goal that stands for it behind the proxy. */
import { connect, type Socket } from "node:net";
import { after } from "../platform/time.ts";
import type { Random } from "../random.ts";
import type { Effect, Link } from "./effects.ts";
import { Pipe, type Treatment } from "./pipe.ts";

export interface ConnectionOptions {
  readonly link: Link;
  /** Accepted, and not read from yet. */
  readonly dialled: Socket;
  readonly target: { readonly host: string; readonly port: number };
  readonly random: Random;
  readonly onClosed: () => void;
}

/** How long the other side of a connection that fell silent may take to find out that nobody is there. */
const silentMs = 30_000;

export class ProxiedConnection {
  readonly link: Link;
  readonly #options: ConnectionOptions;
  #effects: readonly Effect[] = [];
  #onward: Socket | undefined;
  #pipes: readonly Pipe[] = [];
  /** Bytes that may still pass before the connection is cut; undefined: as many as there are. */
  #budget: number | undefined;
  #isSilent = false;
  #cancelEnd: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.link = options.link;
    const { dialled } = options;
    dialled.setNoDelay(true);
    // A reset before there is anywhere to pass it on to.
    dialled.on("error", () => undefined);
    dialled.once("close", () => this.#closeIfBothAre());
  }

  /** What is felt on its link from now on. */
  feel(effects: readonly Effect[]): void {
    if (this.#isClosed) return;
    const before = this.#effects;
    this.#effects = effects;
    for (const effect of effects) {
      if (!before.includes(effect)) this.#begin(effect);
    }
    if (!effects.some(({ kind }) => kind === "cut")) this.#budget = undefined;
    if (this.#isSilent) return;
    if (this.#onward === undefined && !this.#treatment().isBlocked) this.#connect();
    for (const pipe of this.#pipes) pipe.pump();
  }

  /** Both sides see it reset. */
  reset(): void {
    this.#options.dialled.resetAndDestroy();
    this.#onward?.resetAndDestroy();
    this.#closed();
  }

  #begin(effect: Effect): void {
    const { random } = this.#options;
    if (effect.kind === "cut") this.#budget = random.between(1, 2 * effect.meanBytes);
    if (effect.kind === "silence" && random.chance(effect.probability)) this.#silence();
  }

  #silence(): void {
    this.#isSilent = true;
    for (const pipe of this.#pipes) pipe.silence();
    if (this.#pipes.length > 0) return;
    const { dialled } = this.#options;
    dialled.once("end", () => dialled.destroy());
    dialled.resume();
  }

  #connect(): void {
    const { dialled, target } = this.#options;
    if (dialled.destroyed) return;
    const onward = connect({ ...target, noDelay: true, allowHalfOpen: true });
    this.#onward = onward;
    onward.once("close", () => this.#closeIfBothAre());
    const both = {
      treatment: () => this.#treatment(),
      allow: (bytes: number) => this.#allow(bytes),
      onCut: () => this.#cut(),
    };
    this.#pipes = [
      new Pipe({ ...both, source: dialled, sink: onward }),
      new Pipe({ ...both, source: onward, sink: dialled }),
    ];
  }

  #treatment(): Treatment {
    const { random } = this.#options;
    const delays = this.#effects.filter((effect) => effect.kind === "delay");
    return {
      isBlocked: this.#effects.some(({ kind }) => kind === "block"),
      delayMs: () => delays.reduce((sum, { ms, jitterMs }) => sum + ms + random.below(jitterMs + 1), 0),
    };
  }

  #allow(bytes: number): number {
    if (this.#budget === undefined) return bytes;
    const allowed = Math.min(bytes, this.#budget);
    this.#budget -= allowed;
    return allowed;
  }

  /** What has passed arrives; then both see the end. */
  #cut(): void {
    for (const pipe of this.#pipes) pipe.close();
    for (const socket of [this.#options.dialled, this.#onward]) {
      socket?.end();
      socket?.resume();
      socket?.destroySoon();
    }
  }

  #closeIfBothAre(): void {
    if (this.#options.dialled.destroyed && this.#onward?.destroyed !== false) this.#closed();
    else if (this.#isSilent) this.#cancelEnd ??= after(silentMs, () => this.reset());
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelEnd?.();
    for (const pipe of this.#pipes) pipe.close();
    this.#options.onClosed();
  }
}
