/**
 * The binary protocol: SET, GET and JOIN, for clients of an older system that speak it over a TCP
 * connection. It carries no credentials: users are known by their certificates.
 *
 * What it cannot carry:
 *
 * - empty keys get status 02; an empty value is a value, other than a missing key, which has status 03;
 * - a time to live of less than a second or more than 2^31 - 1 seconds; a negative one gets status 02;
 * - key and value that are larger together than a request may be, negative lengths and codes that it does not
 *   know get status 02, and the connection ends: nobody knows where the next command begins;
 * - why a command failed, and whether a write may still take effect: status 02 means either, so GET before
 *   repeating what must not be done twice;
 * - there is no DELETE, no LEAVE, and no condition on a SET, which overwrites.
 *
 * Every command gets an answer, JOIN as well, in the order in which they came. Any member serves all of them.
 * While nobody leads the answer is status 02, within a second.
 */
import type { Member } from "../../consensus/member.ts";
import { checkedAddress, checkedName } from "../dkv-v1/member-names.ts";
import { StreamDoor, type StreamDoorDeps, type StreamLimits } from "../stream/door.ts";
import type { StreamCommand, StreamProtocol } from "../stream/protocol.ts";
import { setOperation } from "../stream/set-command.ts";
import { foundAnswer, getAnswers, statuses } from "./answers.ts";
import { BinaryReader, type BinaryRequest } from "./request-reader.ts";

export interface BinaryDoorOptions {
  /** Most bytes of key and value together. */
  readonly maxRequestBytes: number;
  readonly limits?: StreamLimits;
}

export function createBinaryDoor(
  options: BinaryDoorOptions,
  deps: StreamDoorDeps,
): StreamDoor<BinaryRequest> {
  return new StreamDoor(binaryProtocol(options, deps.member), deps, options.limits);
}

type Requested<Kind> = Extract<BinaryRequest, { readonly kind: Kind }>;

function binaryProtocol(
  { maxRequestBytes }: BinaryDoorOptions,
  member: Member,
): StreamProtocol<BinaryRequest> {
  return {
    reader: () => new BinaryReader(maxRequestBytes),
    command: (request) => commandOf(request, member),
    elsewhere: () => undefined,
    givenUp: statuses.error,
  };
}

function commandOf(request: BinaryRequest, member: Member): StreamCommand {
  switch (request.kind) {
    case "set":
      return request.key.length === 0 || request.seconds < 0
        ? { kind: "answered", answer: statuses.error }
        : setCommand(request, member);
    case "get":
      return request.key.length === 0
        ? { kind: "answered", answer: getAnswers.error }
        : {
            kind: "read",
            key: request.key,
            answer: (found) => (found === undefined ? [getAnswers.notFound] : foundAnswer(found.value)),
            failed: getAnswers.error,
          };
    case "join":
      return {
        kind: "write",
        key: undefined,
        run: () => join(request, member),
        failed: statuses.error,
      };
  }
}

function setCommand({ key, value, seconds }: Requested<"set">, member: Member): StreamCommand {
  return {
    kind: "write",
    key,
    run: async () => {
      await member.propose(setOperation({ key, value, ttlSeconds: seconds }, member.leases));
      return statuses.ok;
    },
    failed: statuses.error,
  };
}

async function join({ name, address }: Requested<"join">, member: Member): Promise<Buffer> {
  await member.changeMembership({
    kind: "join",
    name: checkedName(name, "node id"),
    peerAddress: checkedAddress(address),
  });
  return statuses.ok;
}
