/**
 * The query interface: keys and members by the parameters of a URL, whatever the method. Its answers are
 * those of an older system, whose every status is 200; `strict=1` asks for statuses that say what happened,
 * with the reason as text. Who may not do something is told so by the status in any case.
 */
import { isUtf8 } from "node:buffer";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import type { Member } from "../../consensus/member.ts";
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import { isRefusal, refusalReply } from "../auth/refusal-reply.ts";
import type { Door, PlainReply, PlainResource } from "../door.ts";
import type { ErrorTranslator } from "../errors.ts";
import { QueriedKeys } from "./keys.ts";
import { type Parameters, readParameters, textOf } from "./parameters.ts";
import { join, leave } from "./servers.ts";

export interface QueryDoorDeps {
  readonly translate: ErrorTranslator;
}

/** What one path does. */
interface Query {
  /** Resolves to the body of the answer. Rejects with a DkvError. */
  readonly run: (parameters: Parameters) => Promise<string | Uint8Array>;
  /** Bodies of its refusals without `strict=1`, where that is not `internal error`. */
  readonly refusals: Partial<Readonly<Record<ErrorCode, string>>>;
}

const badParameters = {
  emptyKey: "param error\n",
  invalidRequest: "param error\n",
  requestTooLarge: "param error\n",
} as const;
const reading = { ...badParameters, emptyKey: "", keyNotFound: "\n" } as const;
const nobodyToWrite = "write method not allowed\n";
const writing = { ...badParameters, noLeader: nobodyToWrite, notLeader: nobodyToWrite } as const;
const naming = { invalidRequest: "invalid peerAddress\n" } as const;

/** Where it serves. */
export const queryPaths = ["/get", "/set", "/delete", "/join", "/leave"] as const;

/** @param maxRequestBytes most bytes of key and value together */
export function createQueryDoor(member: Member, maxRequestBytes: number, deps: QueryDoorDeps): Door {
  const keys = new QueriedKeys(member, maxRequestBytes);
  const queries: Readonly<Record<(typeof queryPaths)[number], Query>> = {
    "/get": { run: async (query) => lineOf(await keys.get(query)), refusals: reading },
    "/set": { run: async (query) => done("ok\n", keys.set(query)), refusals: writing },
    "/delete": {
      run: async (query) => done("ok\n", keys.delete(query)),
      refusals: { ...writing, keyNotFound: "ok\n" },
    },
    // Those who join compare all of the body.
    "/join": { run: async (query) => done("ok", join(member, query)), refusals: naming },
    "/leave": { run: async (query) => done("ok", leave(member, query)), refusals: naming },
  };
  return {
    services: [],
    routes: () => undefined,
    hotMethods: [],
    resources: new Map(
      Object.entries(queries).map(([path, query]) => [path, resource(query, deps.translate)]),
    ),
  };
}

function resource({ run, refusals }: Query, translate: ErrorTranslator): PlainResource {
  return {
    methods: "all",
    async answer(query) {
      const parameters = readParameters(query);
      try {
        return reply(200, await run(parameters));
      } catch (error) {
        if (isRefusal(error)) return refusalReply(error);
        const { code, rawMessage } = translate(error);
        if (textOf(parameters, "strict") === "1") return reply(codeToHttpStatus(code), `${rawMessage}\n`);
        const words = error instanceof DkvError ? refusals[error.code] : undefined;
        return reply(200, words ?? "internal error\n");
      }
    },
  };
}

async function done(body: string, doing: Promise<void>): Promise<string> {
  await doing;
  return body;
}

function lineOf(value: Uint8Array): Uint8Array {
  return Buffer.concat([value, Buffer.from("\n")]);
}

function reply(status: number, body: string | Uint8Array): PlainReply {
  if (body.length === 0) return { status, body };
  const isText = typeof body === "string" || isUtf8(body);
  return { status, contentType: isText ? "text/plain; charset=utf-8" : "application/octet-stream", body };
}
