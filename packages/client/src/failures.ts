/** From the failures of single attempts to the one error that the caller sees. */
import type { ConnectFailure } from "./connect-failure.ts";
import { type Endpoint, formatEndpoint } from "./endpoints.ts";
import { type ConnectCode, DkvClientError } from "./errors.ts";
import { formatDuration } from "./retry.ts";

/** One attempt that failed: before anything was sent, or after. */
export type AttemptFailure =
  | {
      readonly kind: "notConnected";
      readonly endpoint: Endpoint;
      readonly failure: ConnectFailure;
      readonly cause: unknown;
    }
  | { readonly kind: "refused"; readonly endpoint: Endpoint; readonly error: DkvClientError };

/** Whether waiting could help: it cannot where every endpoint has a setting wrong. */
export function isPassing(failure: AttemptFailure): boolean {
  return failure.kind === "refused" || failure.failure.isPassing;
}

/** The error of an operation whose last round over the endpoints failed so. */
export function summarize(failures: readonly AttemptFailure[], elapsedMs: number): DkvClientError {
  // What a member said tells more than that another one is down.
  const refused = failures.findLast((failure) => failure.kind === "refused");
  if (refused !== undefined) {
    const { message } = refused.error;
    return new DkvClientError(refused.error, `${message} (tried for ${formatDuration(elapsedMs)})`, {
      cause: refused.error,
    });
  }
  return summarizeUnconnected(failures.filter((failure) => failure.kind === "notConnected"));
}

const advice: Partial<Readonly<Record<ConnectCode, string>>> = {
  connection_refused: "; is dkv running there?",
};

function summarizeUnconnected(
  failures: readonly Extract<AttemptFailure, { kind: "notConnected" }>[],
): DkvClientError {
  const [first] = failures;
  if (first === undefined)
    return new DkvClientError({ code: "no_answer", retry: "notApplied" }, "no member answered in time");
  const { code, phrase } = first.failure;
  const options = { cause: first.cause };
  if (failures.every(({ failure }) => failure.phrase === phrase)) {
    const places = failures.map(({ endpoint }) => formatEndpoint(endpoint)).join(", ");
    return new DkvClientError(
      { code, retry: "notApplied" },
      `no member answers at ${places}: ${phrase}${advice[code] ?? ""}`,
      options,
    );
  }
  const each = failures
    .map(({ endpoint, failure }) => `${formatEndpoint(endpoint)}: ${failure.phrase}`)
    .join("; ");
  return new DkvClientError(
    { code: "unreachable", retry: "notApplied" },
    `no member can be reached (${each})`,
    options,
  );
}
