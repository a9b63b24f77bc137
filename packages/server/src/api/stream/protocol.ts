/**
 * What a protocol of commands and answers, one behind the other on a connection, says of itself. The rest is
 * the same for all of them: `connection.ts`.
 */
import type { KeyValue } from "@dkv/store";
import type { MemberStatus } from "../../consensus/member.ts";

/** What comes next in the bytes that have arrived. */
export type Reading<Request> =
  | {
      readonly kind: "request";
      readonly request: Request;
      /** Where the next one begins. */
      readonly end: number;
    }
  /** Nothing that is to be answered. */
  | { readonly kind: "nothing"; readonly end: number }
  /** A part of a request. Ask again when there are so many bytes of it. */
  | { readonly kind: "part"; readonly wantedBytes: number }
  /** Nobody can say where the next request would begin: this answer is the last one. */
  | { readonly kind: "unreadable"; readonly answer: Buffer };

/** Reads one connection. Makes no memory for what a length promises. */
export interface RequestReader<Request> {
  /** What begins there. Views of the bytes are given out. */
  next(bytes: Buffer, at: number): Reading<Request>;
  /** The client has said all it will say, and this part of a request is left; it is not empty. */
  last(bytes: Buffer): Exclude<Reading<Request>, { kind: "part" }>;
}

/** What a request asks for. Commands with the same key are done in the order in which they came. */
export type StreamCommand =
  /** It is answered as it stands. */
  | { readonly kind: "answered"; readonly answer: Buffer }
  | {
      readonly kind: "read";
      readonly key: Buffer;
      /** May throw a DkvError. */
      readonly answer: (found: KeyValue | undefined) => readonly Buffer[];
      readonly failed: Failed;
    }
  | {
      readonly kind: "write";
      /** Undefined if it is about no key. */
      readonly key: Buffer | undefined;
      /** Resolves to the answer once what it says is on the disks of a majority. Rejects with a DkvError. */
      readonly run: () => Promise<Buffer>;
      readonly failed: Failed;
    };

/** The answer when that could not be done, or nobody knows whether it was. */
export type Failed = Buffer;

export interface StreamProtocol<Request> {
  reader(): RequestReader<Request>;
  command(request: Request): StreamCommand;
  /** The answer of a member that does not serve commands as things are; undefined if it does. */
  elsewhere(status: MemberStatus): Buffer | undefined;
  /** The last answer to a client whose request does not come to an end, or has no room. */
  readonly givenUp: Buffer;
}
