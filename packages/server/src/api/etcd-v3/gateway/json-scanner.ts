/** Finds where JSON values end that stand one behind the other, in pieces of any size. */
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Deeper than the messages of any request that is taken; whoever reads JSON needs room on the stack for it.
 */
const maxDepth = 2000;

/** What of a piece belongs to a value. */
export interface ScannedPart {
  readonly from: number;
  /** Exclusive. What is behind it was not looked at. */
  readonly to: number;
  /** Whether the value ends there. */
  readonly isWhole: boolean;
}

/** Within a word are numbers, `null` and whatever else is not within brackets or quotes. */
type State = "between" | "word" | "brackets" | "string" | "escape";

const blanks: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n"));
const openers: ReadonlySet<number> = new Set(Buffer.from("{["));
const closers: ReadonlySet<number> = new Set(Buffer.from("}]"));
const quote = 0x22;
const backslash = 0x5c;

/** Looks at brackets and quotes alone: what it finds to be a value may be none. */
export class JsonScanner {
  #state: State = "between";
  #depth = 0;

  /** Throws a ConnectError where it is nested too deep. */
  scan(bytes: Uint8Array): ScannedPart {
    let from = this.#state === "between" ? bytes.length : 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (this.#state === "between") {
        if (blanks.has(byte)) continue;
        from = at;
        this.#state = "word";
      } else if (this.#endsBefore(byte)) {
        this.#state = "between";
        return { from, to: at, isWhole: true };
      }
      if (this.#endsWith(byte)) {
        this.#state = "between";
        return { from, to: at + 1, isWhole: true };
      }
    }
    return { from, to: bytes.length, isWhole: false };
  }

  /** There is no more. Returns whether that ends a value. Throws a ConnectError if it does so too early. */
  end(): boolean {
    if (this.#state !== "between" && this.#state !== "word")
      throw new ConnectError("unexpected EOF", Code.InvalidArgument);
    return this.#state === "word";
  }

  #endsBefore(byte: number): boolean {
    return this.#state === "word" && (blanks.has(byte) || openers.has(byte) || byte === quote);
  }

  #endsWith(byte: number): boolean {
    switch (this.#state) {
      case "escape":
        this.#state = "string";
        return false;
      case "string":
        if (byte === backslash) this.#state = "escape";
        if (byte !== quote) return false;
        this.#state = "brackets";
        return this.#depth === 0;
      case "word":
      case "brackets":
        return this.#endsOutsideString(byte);
      case "between":
        return false;
    }
  }

  #endsOutsideString(byte: number): boolean {
    if (byte === quote) {
      this.#state = "string";
    } else if (openers.has(byte)) {
      this.#state = "brackets";
      this.#depth += 1;
      if (this.#depth > maxDepth) throw new ConnectError("exceeded max depth", Code.InvalidArgument);
    } else if (closers.has(byte) && this.#depth > 0) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }
}
