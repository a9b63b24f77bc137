/** What a request of the gateway says beside its body. */
import { Code, ConnectError } from "@connectrpc/connect";
import { parseGrpcTimeout } from "../../grpc-timeout.ts";
import type { RequestFields } from "../../request-fields.ts";

/**
 * The fields of a call: those that are marked as such, and who the client says it is. As in etcd, a
 * certificate does not say so here.
 */
export function fieldsOf(header: Headers): RequestFields {
  return {
    get: (name) =>
      header.get(`grpc-metadata-${name}`) ?? (name === "authorization" ? header.get(name) : undefined),
    connection: undefined,
  };
}

/**
 * Milliseconds that the client is willing to wait, if it says so. Throws a ConnectError for what is no time.
 */
export function timeoutOf(header: Headers): number | undefined {
  const text = header.get("grpc-timeout") ?? "";
  if (text === "") return undefined;
  const timeoutMs = parseGrpcTimeout(text);
  if (timeoutMs === undefined) throw new ConnectError(`invalid grpc-timeout: ${text}`, Code.InvalidArgument);
  // None at all is as if nothing were said.
  return timeoutMs === 0 ? undefined : timeoutMs;
}
