/** Has a member added to a cluster by one that belongs to it, over its query interface. */
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { StartupError } from "../platform/startup-error.ts";
import type { LauncherDeps } from "./launcher.ts";

const askAgainMs = 1000;
const answerMs = 15_000;

/** Statuses after which the same question may be answered otherwise. */
const passing = [408, 429, 500, 502, 503, 504];

interface Joining {
  readonly name: string;
  readonly peerAddress: string;
}

type Answer =
  | { readonly kind: "joined"; readonly members: string }
  | { readonly kind: "refused" | "notYet"; readonly reason: string };

/**
 * Resolves to the members of the cluster, as NAME=HOST:PORT,... Asks until somebody agrees, for the other
 * one may only be about to start. Rejects with a StartupError if asking again cannot help.
 *
 * @param address of any member's clients: host:port, or a URL for TLS
 */
export async function joinThrough(
  address: string,
  joining: Joining,
  { clock, say }: LauncherDeps,
): Promise<string> {
  const base = /^https?:\/\//.test(address) ? address : `http://${address}`;
  let told = "";
  for (;;) {
    const answer = await ask(base, joining);
    if (answer.kind === "joined") return answer.members;
    const { kind, reason } = answer;
    if (kind === "refused")
      throw new StartupError("environment", `${address} does not let ${joining.name} join: ${reason}`);
    if (reason !== told) say(`waiting to join through ${address}: ${reason}`);
    told = reason;
    await new Promise<void>((resolve) => {
      clock.after(askAgainMs, resolve);
    });
  }
}

async function ask(base: string, { name, peerAddress }: Joining): Promise<Answer> {
  try {
    const query = new URLSearchParams({
      peerAddress,
      strict: "1",
      ...(name !== peerAddress && { node: name }),
    });
    const { status, body } = await request(`${base}/join?${query.toString()}`);
    if (status === 200) return { kind: "joined", members: await membersAt(base) };
    return { kind: passing.includes(status) ? "notYet" : "refused", reason: body.trim() };
  } catch (error) {
    // Nobody is there, or somebody who went away.
    return { kind: "notYet", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Rejects if they cannot be had. */
async function membersAt(base: string): Promise<string> {
  const { body } = await request(`${base}/dkv.v1.MembershipAPI/GetServers`, "{}");
  const { servers } = JSON.parse(body) as { servers?: { id?: unknown; raftAddress?: unknown }[] };
  const members = (servers ?? []).map(({ id, raftAddress }) => `${String(id)}=${String(raftAddress)}`);
  if (members.length === 0) throw new Error("it does not say who its members are");
  return members.join(",");
}

/**
 * Not fetch, which talks to no port that a browser would not, 6000 for one. Rejects if there is no answer.
 *
 * @param json makes it a POST
 */
async function request(
  url: string,
  json?: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const module = url.startsWith("https:") ? https : http;
  const asked = module.request(url, {
    method: json === undefined ? "GET" : "POST",
    headers: json === undefined ? {} : { "content-type": "application/json" },
    signal: AbortSignal.timeout(answerMs),
  });
  asked.end(json);
  const [answer] = (await once(asked, "response")) as [http.IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}
