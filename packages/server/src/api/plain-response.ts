import type { HttpResponse } from "../listener/request-handlers.ts";
import type { PlainReply } from "./door.ts";

/** A line for people. */
export function textResponse(status: number, line: string): HttpResponse {
  return plainResponse({ status, contentType: "text/plain; charset=utf-8", body: `${line}\n` }, "whole");
}

/** Refuses a method. @param allowed those that the path answers. Source: RFC 9110 §15.5.6 */
export function methodRefusal(line: string, allowed: string): HttpResponse {
  const response = textResponse(405, line);
  response.header?.set("allow", allowed);
  return response;
}

/** The form of a plain reply that goes to the client; HEAD wants its header only. */
export function plainResponse(reply: PlainReply, wanted: "whole" | "header"): HttpResponse {
  const body = Buffer.from(reply.body);
  const header = new Headers([["content-length", String(body.length)]]);
  if (reply.contentType !== undefined) {
    header.set("content-type", reply.contentType);
    // A browser shall not take for a page what somebody has stored.
    header.set("x-content-type-options", "nosniff");
  }
  // Not Basic, which is taken as well: a browser would ask for it, and send it with what others have it ask.
  if (reply.asksForCredentials === true) header.set("www-authenticate", 'Bearer realm="dkv"');
  return { status: reply.status, header, ...(wanted === "whole" && { body: once(body) }) };
}

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
