/** Works that are not calls, but commands on a connection of their own that are answered in their order. */

/** A port of a member beside that of its calls. */
export const doorNames = ["text", "binary"] as const;
export type DoorName = (typeof doorNames)[number];

export interface SocketMethod {
  /** Whose port the connections go to. */
  readonly door: DoorName;
  /** Requests for keys and values of equal length must have equal length. */
  readonly encode: (key: string, value: Buffer) => Uint8Array;
  /** Whether a key can be set once only: then each request has one that was never there. */
  readonly setsOnce: boolean;
  /** For one connection. */
  readonly reader: () => AnswerReader;
}

/** Finds the answers in the bytes of one connection. */
export interface AnswerReader {
  /** Calls for each answer with what is wrong with it; undefined if it is what was wanted. */
  accept(chunk: Buffer, onAnswer: (problem: string | undefined) => void): void;
}
