/** What gRPC is told that calls a method which is not served, in the words that its servers commonly have. */
import { Code } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "../listener/request-handlers.ts";

/**
 * Undefined if it is no call of gRPC.
 *
 * @param services names of those that are served
 */
export function unknownMethod(
  path: string,
  { method, header }: HttpRequest,
  services: ReadonlySet<string>,
): HttpResponse | undefined {
  const type = header.get("content-type") ?? "";
  if (method !== "POST" || !/^application\/grpc(\+|$)/.test(type)) return undefined;
  const [, service = "", name = ""] = path.split("/");
  const message = services.has(service)
    ? `unknown method ${name} for service ${service}`
    : `unknown service ${service}`;
  const trailers = new Headers([
    ["content-type", type],
    ["grpc-status", String(Code.Unimplemented)],
    ["grpc-message", encodeURI(message)],
  ]);
  return { status: 200, header: trailers };
}
