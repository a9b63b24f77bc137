/** Errors, as the gateway of etcd writes them. */
import { STATUS_CODES } from "node:http";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { PlainReply } from "../../door.ts";
import { textOf } from "./json-messages.ts";

const statuses: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 408,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 412,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** In place of an answer. */
export function refusal({ code, rawMessage: message }: ConnectError): PlainReply {
  return {
    status: statuses[code],
    contentType: "application/json",
    body: textOf({ error: message, message, code }),
  };
}

/** Behind answers that a stream has given. */
export function endOfStream({ code, rawMessage: message }: ConnectError): string {
  const status = statuses[code];
  const words = { message, http_status: STATUS_CODES[status] ?? "" };
  return textOf({ error: { grpc_code: code, http_code: status, ...(message === "" ? {} : words) } });
}
