import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";

/** What a call failed with: the status, by the name of its code, and its text. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: string;
  readonly text: string;
}

/** In the place of a code where the server has not said any: the connection was lost, or nothing came. */
export const lostCode = "no status";

/** In the order of their numbers. */
const codes = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

/** Resolves when the stream is over: to undefined if the server said that all was well. */
export function statusOf(stream: ClientHttp2Stream): Promise<Refusal | undefined> {
  const { promise, resolve } = Promise.withResolvers<Refusal | undefined>();
  let status: IncomingHttpHeaders = {};
  let failure = "";
  const note = (headers: IncomingHttpHeaders): void => {
    status = { ...status, ...headers };
    // It may have been said before the whole request was taken, of which the rest will never be.
    const isRefused = status["grpc-status"] !== undefined && status["grpc-status"] !== "0";
    if (isRefused) stream.close(constants.NGHTTP2_CANCEL);
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("error", (error: Error) => {
    failure = error.message;
  });
  stream.on("close", () => {
    const code = status["grpc-status"];
    if (code === "0") resolve(undefined);
    else if (code !== undefined) resolve(refusalOf(Number(code), status["grpc-message"]));
    else resolve(loss(stream, status, failure));
  });
  return promise;
}

function refusalOf(code: number, text: string | readonly string[] | undefined): Refusal {
  return { kind: "refused", code: codes[code] ?? `code ${String(code)}`, text: decoded(String(text ?? "")) };
}

/** Texts go as if they were part of an address. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function loss(stream: ClientHttp2Stream, status: IncomingHttpHeaders, failure: string): Refusal {
  const http = status[":status"];
  const said = [
    failure,
    http === undefined ? "" : `HTTP ${String(http)}`,
    `reset with ${String(stream.rstCode)}`,
  ];
  const text = said.filter((part) => part !== "").join(", ");
  return { kind: "refused", code: lostCode, text };
}

/** As it is compared with another one. */
export function said({ code, text }: Refusal): { readonly code: string; readonly text: string } {
  return { code, text };
}
