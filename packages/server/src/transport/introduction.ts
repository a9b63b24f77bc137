/**
 * A new member knows its name, the addresses of some members and its certificate. It asks them who it is and
 * what cluster this is.
 */
import { decodeConfiguration, nodeId, type Configuration } from "@dkv/raft";
import { DecodeError } from "../codec/decode-error.ts";
import {
  decodeHelloReply,
  encodeHello,
  type HelloReply,
  type Introduction,
} from "../codec/handshake-codec.ts";
import { decodeMembership } from "../codec/membership-codec.ts";
import type { Clock } from "../platform/clock.ts";
import type { TlsMaterial, TlsPaths } from "../platform/tls-files.ts";
import { version } from "../version.ts";
import { describeFailure } from "./connect-failure.ts";
import { dial, readPeerMaterial } from "./dial.ts";
import { FrameReader } from "./frame-reader.ts";
import { protocolVersion } from "./greeting.ts";
import { defaultTiming } from "./options.ts";

export interface NewMember {
  /** Under which it was, or will be, added to the cluster. */
  readonly name: string;
  /** Where others will reach it, as host:port, if it knows: by that it is found if it was added without a name. */
  readonly ownAddress?: string | undefined;
  /** Peer addresses of members, as host:port. Asked in this order. */
  readonly addresses: readonly string[];
  /** Cleartext if there is none; needs a CA. */
  readonly tls: TlsPaths | undefined;
}

export interface IntroductionDeps {
  readonly clock: Clock;
  /** How long one member may take to answer, TLS included. 5 s unless said otherwise. */
  readonly handshakeMs?: number;
}

export type IntroductionResult =
  | (Omit<Introduction, "configuration"> & {
      readonly kind: "introduced";
      /** Has this member as a learner, under its name or, until it is heard of, its address. */
      readonly configuration: Configuration;
    })
  /** Somebody answers, and asking again may help: the member has to be added first. */
  | { readonly kind: "notYet"; readonly reason: string }
  /** Somebody answers, and asking again will not help before something else is changed. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Nobody answers. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** A configuration of as many members as there may be, with long names. */
const maxReplyBytes = 2 ** 20;

/**
 * Asks one address after the other until somebody knows who we are. What they said otherwise is in the
 * reason.
 * Rejects with a StartupError if the certificate cannot be used or an address is none.
 */
export async function askForIntroduction(
  { name, ownAddress = "", addresses, tls }: NewMember,
  deps: IntroductionDeps,
): Promise<IntroductionResult> {
  const material = readPeerMaterial(tls);
  const answers: Answer[] = [];
  for (const peerAddress of addresses) {
    const result = await ask({ name, ownAddress, peerAddress, material }, deps);
    if (result.kind === "introduced") return result;
    answers.push({ ...result, peerAddress });
  }
  const kind = (["notYet", "refused"] as const).find((one) => answers.some((answer) => answer.kind === one));
  return {
    kind: kind ?? "unreachable",
    reason: kind === "refused" ? refusals(answers) : everyReason(answers),
  };
}

type Answer = Exclude<IntroductionResult, { kind: "introduced" }> & { readonly peerAddress: string };

function everyReason(answers: readonly Answer[]): string {
  return answers.map(({ peerAddress, reason }) => `${peerAddress}: ${reason}`).join("; ");
}

/** These end the wait, and all members are likely to say the same: it is said once. */
function refusals(answers: readonly Answer[]): string {
  const refused = answers.filter(({ kind }) => kind === "refused");
  return [...new Set(refused.map(({ reason }) => reason))].join("; ");
}

interface Question {
  readonly name: string;
  /** Empty if it is not known. */
  readonly ownAddress: string;
  readonly peerAddress: string;
  readonly material: TlsMaterial | undefined;
}

/** Asks one member. */
async function ask(
  { name, ownAddress, peerAddress, material }: Question,
  { clock, handshakeMs = defaultTiming.handshakeMs }: IntroductionDeps,
): Promise<IntroductionResult> {
  const socket = dial({ peerAddress, name: peerAddress, material }, helloOf(name, ownAddress));
  const cancel = clock.after(handshakeMs, () =>
    socket.destroy(new Error(`no answer within ${String(handshakeMs)} ms`)),
  );
  const { promise, resolve } = Promise.withResolvers<IntroductionResult>();
  const reader = new FrameReader(maxReplyBytes);
  let failure = "the member closed the connection";
  socket.on("error", (error) => {
    failure = describeFailure(error);
  });
  socket.once("close", () => {
    resolve({ kind: "unreachable", reason: failure });
  });
  socket.on("data", (chunk: Buffer) => {
    try {
      const [first] = reader.frames(chunk);
      if (first !== undefined) resolve(resultOf({ name, ownAddress }, decodeHelloReply(first)));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      socket.destroy(error);
    }
  });
  const result = await promise;
  cancel();
  socket.destroy();
  return result;
}

function helloOf(name: string, peerAddress: string): Buffer {
  const nobody = nodeId(0n);
  return encodeHello({
    protocolVersion,
    clusterId: 0n,
    from: nobody,
    to: nobody,
    clientAddress: "",
    version,
    purpose: "introduction",
    name,
    peerAddress,
    incarnation: 0n,
    history: 0n,
  });
}

/** Throws a DecodeError. */
function resultOf(
  { name, ownAddress }: Pick<Question, "name" | "ownAddress">,
  { refusal, later, introduction }: HelloReply,
): IntroductionResult {
  if (refusal !== "") return { kind: later ? "notYet" : "refused", reason: refusal };
  if (introduction === undefined)
    return { kind: "refused", reason: "it runs a version of dkv that introduces nobody" };
  const configuration = decodeIntroduced(introduction.configuration);
  const { memberId } = introduction;
  const row = decodeMembership(configuration.context).rows.find(({ id }) => id === memberId);
  const isOurs = row !== undefined && (row.name === name || row.peerAddress === ownAddress);
  if (!isOurs || !configuration.learners.includes(memberId))
    return { kind: "refused", reason: `its configuration has no learner named ${name}` };
  return { kind: "introduced", ...introduction, configuration };
}

function decodeIntroduced(bytes: Uint8Array): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DecodeError("it introduces with a configuration that makes no sense", { cause: error });
  }
}
