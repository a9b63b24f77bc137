/** A client of the JSON gateway, by HTTP/1.1 or HTTP/2, in clear or with TLS. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type { Readable } from "node:stream";

export interface JsonAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly text: string;
}

export type Post = (path: string, body?: unknown, fields?: Record<string, string>) => Promise<JsonAnswer>;

const bodyOf = (body: unknown): string => (typeof body === "string" ? body : JSON.stringify(body ?? {}));

const textOf = async (stream: Readable): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/** Begins a request by HTTP/1.1 whose body may go on. */
export function openPost(url: string, fields: Record<string, string> = {}): http.ClientRequest {
  const headers = { "content-type": "application/json", ...fields };
  return http.request(url, { method: "POST", headers, agent: false });
}

export function overHttp1(base: string, ca?: Buffer): Post {
  return async (path, body, fields = {}) => {
    const options = { method: "POST", headers: fields, agent: false };
    const request =
      ca === undefined ? http.request(base + path, options) : https.request(base + path, { ...options, ca });
    request.end(bodyOf(body));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const { statusCode = 0, headers } = response;
    return { status: statusCode, contentType: headers["content-type"], text: await textOf(response) };
  };
}

export function overHttp2(base: string, ca?: Buffer): Post {
  return async (path, body, fields = {}) => {
    const session = http2.connect(base, ca === undefined ? {} : { ca });
    const stream = session.request({ ":method": "POST", ":path": path, ...fields });
    stream.end(bodyOf(body));
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    const text = await textOf(stream);
    session.close();
    return { status: Number(headers[":status"]), contentType: headers["content-type"], text };
  };
}

/** Lines of an answer as they come. */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
