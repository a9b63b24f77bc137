import { checkOptions, checkTimeout } from "./checks.ts";
import type { Endpoint } from "./endpoints.ts";
import { DkvClientError } from "./errors.ts";
import { type Operation, type OperationDeps, perform } from "./operation.ts";
import { names } from "./option-names.ts";
import type { CallOptions } from "./options.ts";
import type { Header } from "./results.ts";
import { Route } from "./route.ts";

/** What everything that asks a cluster shares: the way to its members, and when to give up. */
export class Requests {
  /** Unless an operation says otherwise. */
  readonly timeoutMs: number;
  readonly #deps: OperationDeps;

  constructor(deps: OperationDeps, timeoutMs: number) {
    this.#deps = deps;
    this.timeoutMs = checkTimeout(timeoutMs);
  }

  /** Aborted when the client is closed. */
  get closed(): AbortSignal {
    return this.#deps.closed;
  }

  /** @throws DkvClientError */
  async perform<Result>(operation: Operation<Result>, options: CallOptions = {}): Promise<Result> {
    return this.#run(this.#deps, operation, options);
  }

  /** Like `perform`, and takes note of who leads. @throws DkvClientError */
  async write<Result extends { readonly header: Header }>(
    operation: Operation<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    const result = await this.perform(operation, options);
    this.#deps.route.observe(result.header.leader);
    return result;
  }

  /** Asks one member and no other. @throws DkvClientError */
  async performAt<Result>(
    endpoint: Endpoint,
    operation: Operation<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    return this.#run({ ...this.#deps, route: new Route([endpoint]) }, operation, options);
  }

  async #run<Result>(
    deps: OperationDeps,
    operation: Operation<Result>,
    options: CallOptions,
  ): Promise<Result> {
    const { signal, timeoutMs = this.timeoutMs } = checkOptions(options, names.call);
    if (this.closed.aborted)
      throw new DkvClientError({ code: "closed", retry: "never" }, "the client is closed");
    return perform(deps, operation, { timeoutMs: checkTimeout(timeoutMs), signal });
  }
}
