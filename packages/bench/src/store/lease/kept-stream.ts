import type { Header } from "@dkv/http2";
import { requestHeaders } from "../../grpc/message.ts";
import type { Target } from "../../http2/dial.ts";
import { nowMs } from "../../platform/clock.ts";
import { KeptConnection } from "../../workload/kept-connection.ts";
import { type Asked, KeepAliveCall, type KeepAliveCallDeps } from "./keep-alive-call.ts";
import { leasePaths } from "./messages.ts";

/** A stream that has ended is begun again after so long, as by etcd's clients. */
const restMs = 500;

export interface KeptStreamDeps extends Pick<KeepAliveCallDeps, "onAnswer"> {
  readonly onBroken: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** A stream of keep-alives that is begun again when it has ended; what was not answered is asked again. */
export class KeptStream {
  readonly #deps: KeptStreamDeps;
  readonly #kept: KeptConnection;
  readonly #headers: readonly Header[];
  #call: KeepAliveCall | undefined;
  #unsent: Asked[] = [];
  #notBeforeMs = 0;

  private constructor(kept: KeptConnection, deps: KeptStreamDeps) {
    this.#kept = kept;
    this.#deps = deps;
    this.#headers = requestHeaders(kept.target, leasePaths.keepAlive);
  }

  static async open(target: Target, deps: KeptStreamDeps): Promise<KeptStream> {
    return new KeptStream(await KeptConnection.open(target, deps.signal), deps);
  }

  /** Keep-alives without an answer. */
  get waiting(): number {
    return this.#unsent.length + (this.#call?.waiting ?? 0);
  }

  ask(asked: Asked): void {
    this.#unsent.push(asked);
  }

  /** Sends what was asked, if it can be. */
  flush(): void {
    const { live } = this.#kept;
    if (live === undefined || nowMs() < this.#notBeforeMs) return;
    this.#call ??= new KeepAliveCall({
      connection: live,
      headers: this.#headers,
      onAnswer: this.#deps.onAnswer,
      onEnded: (reason, unanswered) => {
        this.#call = undefined;
        this.#unsent = [...unanswered, ...this.#unsent];
        this.#notBeforeMs = nowMs() + restMs;
        this.#deps.onBroken(reason);
      },
    });
    for (const asked of this.#unsent.splice(0)) this.#call.ask(asked);
    live.flush();
  }
}
