/** Takes JSON values that stand one behind the other out of a body, within the limits for what arrives. */
import { ArrivingMessage } from "../../arriving-message.ts";
import type { BodyLimit, BodyLimitDeps } from "../../body-limit.ts";
import { JsonScanner } from "./json-scanner.ts";

export type TextLimit = Omit<BodyLimit, "hasPrefix">;

/**
 * The text of each value, once its end has come. What stands behind one is looked at when the next one is
 * wanted. Throws a ConnectError for what has no end, and what the limits say when one is passed.
 */
export async function* jsonTexts(
  body: AsyncIterable<Uint8Array>,
  limit: TextLimit,
  deps: BodyLimitDeps,
): AsyncGenerator<string> {
  const text = new ArrivingMessage({ ...limit, hasPrefix: false }, deps);
  const scanner = new JsonScanner();
  const time = new ArrivalTime(limit, deps);
  const take = (): string => {
    time.stop();
    return text.take().toString();
  };
  try {
    time.start("request");
    for await (const chunk of body) {
      for (let rest = chunk; rest.length > 0; ) {
        const { from, to, isWhole } = scanner.scan(rest);
        text.append(rest.subarray(from, to));
        rest = rest.subarray(to);
        if (isWhole) yield take();
      }
      if (text.length > 0) time.start("message");
    }
    if (scanner.end()) yield take();
  } finally {
    take();
  }
}

/** Ends a request that does not come in time. */
class ArrivalTime {
  readonly #limit: TextLimit;
  readonly #deps: BodyLimitDeps;
  #cancel: (() => void) | undefined;

  constructor(limit: TextLimit, deps: BodyLimitDeps) {
    this.#limit = limit;
    this.#deps = deps;
  }

  /** @param awaited what must be complete in time from now on, if that is what is timed */
  start(awaited: BodyLimit["timed"]): void {
    const { timed, timeoutMs, onTimeout } = this.#limit;
    if (timed === awaited) this.#cancel ??= this.#deps.clock.after(timeoutMs, onTimeout);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
