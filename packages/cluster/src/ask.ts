/** Questions to a member over HTTP, as curl would ask them. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";

const timeoutMs = 2_000;

/** What a question is sent with; undefined certificates: in clear. */
export interface Question {
  readonly address: string;
  readonly path: string;
  /** Sent as the body of a POST; without it the question is a GET. */
  readonly json?: unknown;
  /** Directory with ca.pem, client.pem and client-key.pem. */
  readonly certificates: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when there is no answer, or none in time. */
export function ask({ address, path, json, certificates }: Question): Promise<Answer> {
  const options = {
    method: json === undefined ? "GET" : "POST",
    headers: json === undefined ? {} : { "content-type": "application/json" },
    signal: AbortSignal.timeout(timeoutMs),
    // One connection for each question: nothing is left open that a member would have to wait for.
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request =
      certificates === undefined
        ? http.request(`http://${address}${path}`, options)
        : https.request(`https://${address}${path}`, { ...options, ...readCredentials(certificates) });
    request.on("error", reject);
    request.on("response", (response) => {
      collect(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.end(json === undefined ? undefined : JSON.stringify(json));
  });
}

/** The client's certificate is shown to members that ask for one and ignored by the others. */
function readCredentials(directory: string): https.RequestOptions {
  return {
    ca: readFileSync(join(directory, "ca.pem")),
    cert: readFileSync(join(directory, "client.pem")),
    key: readFileSync(join(directory, "client-key.pem")),
  };
}

async function collect(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
