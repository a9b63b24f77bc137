/** One mistake of each kind that the linter is there for; `tools/lint.test.ts` checks that it finds them all. */
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";

export type Shape = { readonly kind: "circle" } | { readonly kind: "square" };

export function forgetPromise(work: () => Promise<void>): void {
  work();
}

export function misusePromise(works: readonly (() => Promise<void>)[]): void {
  works.forEach(async (work) => {
    await work();
  });
}

export function forgetCase(shape: Shape): string {
  switch (shape.kind) {
    case "circle":
      return "round";
  }
  return "what else";
}

export function anything(value: any): void {
  void value;
}

export function assertBlindly(value: string | undefined): string {
  return value!;
}

export function sortAsTexts(numbers: number[]): number[] {
  return numbers.sort();
}

export class Counter {
  #step = 1;

  next(count: number): number {
    return count + this.#step;
  }
}

export function describe(stream: Readable): string {
  return String(stream.readable);
}

export function tellTime(): number {
  return Date.now();
}

export function throwDice(): number {
  return Math.random();
}

export function wait(then: () => void): void {
  setTimeout(then, 1);
}

export function readEnvironment(): string | undefined {
  return process.env["HOME"];
}

// TODO: never.
export const events = new EventEmitter();

export function takeMany(a: number, b: number, c: number, d: number): number {
  return a + b + c + d;
}
