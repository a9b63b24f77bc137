/**
 * The text protocol: set, get, getm, cas and delete, for clients of an older system that speak it over a TCP
 * connection. It carries no credentials: users are known by their certificates.
 *
 * What it cannot carry:
 *
 * - keys with blanks, tabs or ends of lines in them cannot be named;
 * - empty values cannot be written; one that was written otherwise is read as `VALUE 0`;
 * - key and value that are larger together than a request may be get `ERR_CMD_ERR`, lines of more than 64 KiB
 *   get `ERR_INTERNAL`, and the connection ends;
 * - a set never overwrites: `ERR_VERSION`; a key that was set through another door is changed by cas, with the
 *   version that getm tells;
 * - why a command failed, and whether a write may still take effect: `ERR_INTERNAL` means either, so getm
 *   before repeating;
 * - getm tells the seconds that a key, or the lease that it shares, was given, not those that are left.
 *
 * A member that does not lead answers `REDIRECT` and the leader's name, which has to be the number that such
 * clients expect; or it serves commands like the leader, if that is asked for. The connection goes on either
 * way. While nobody leads the answer is `ERR_INTERNAL`, within a second.
 */
import type { Member } from "../../consensus/member.ts";
import { StreamDoor, type StreamDoorDeps, type StreamLimits } from "../stream/door.ts";
import type { StreamProtocol } from "../stream/protocol.ts";
import { redirectAnswer, textAnswers } from "./answers.ts";
import { TextCommands } from "./commands.ts";
import { TextReader, type TextRequest } from "./request-reader.ts";

export interface TextDoorOptions {
  /** Most bytes of key and value together. */
  readonly maxRequestBytes: number;
  /** Whether a member that does not lead serves commands too, instead of naming the leader. */
  readonly isForwarded: boolean;
  readonly limits?: StreamLimits;
}

export function createTextDoor(options: TextDoorOptions, deps: StreamDoorDeps): StreamDoor<TextRequest> {
  return new StreamDoor(textProtocol(options, deps.member), deps, options.limits);
}

function textProtocol(
  { maxRequestBytes, isForwarded }: TextDoorOptions,
  member: Member,
): StreamProtocol<TextRequest> {
  const commands = new TextCommands(member);
  return {
    reader: () => new TextReader(maxRequestBytes),
    command: (request) => commands.of(request),
    elsewhere: ({ leader, leaderId, memberId }) =>
      isForwarded || leaderId === memberId ? undefined : redirectAnswer(leader),
    givenUp: textAnswers.internal,
  };
}
