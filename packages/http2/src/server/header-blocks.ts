import { ConnectionError } from "../connection-error.ts";
import type { Frame } from "../frame-reader.ts";
import { errorCode, frameFlag, initialSettings } from "../frames.ts";
import { type DecodedBlock, HeaderDecoder } from "../hpack/decoder.ts";
import { type Malformed, type RequestHead, readRequestHead } from "./header-rules.ts";

/** Frames of one block. Honest clients fill theirs; empty ones without end are an attack. */
const maxContinuations = 32;
/** Requests of one client that are known by their bytes. */
const maxRemembered = 16;
const maxRememberedBytes = 128;

/** A whole block and what its first frame said. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  readonly bytes: Buffer;
}

/** Puts header blocks together, and reads requests out of them. */
export class HeaderBlocks {
  readonly #decoder: HeaderDecoder;
  readonly #maxBlockBytes: number;
  #open: { readonly streamId: number; readonly endsStream: boolean; readonly parts: Buffer[] } | undefined;
  #openBytes = 0;
  /**
   * Clients repeat themselves: from the second time on, a request is a few indices into the table, perhaps
   * with a field that is never put there. What such a block meant stays true until the table changes.
   */
  readonly #remembered = new Map<string, RequestHead>();
  #rememberedGeneration = 0;

  constructor(maxHeaderListBytes: number) {
    this.#decoder = new HeaderDecoder({
      tableBytes: initialSettings.headerTableBytes,
      listBytes: maxHeaderListBytes,
    });
    // So much is read that a list which is somewhat too large can be refused without ending the connection.
    this.#maxBlockBytes = 4 * maxHeaderListBytes;
  }

  /** Whether nothing but a CONTINUATION may follow. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Takes HEADERS. Returns the block if that was all of it. */
  begin({ streamId, flags, source, start, end }: Frame): HeaderBlock | undefined {
    const endsStream = (flags & frameFlag.endStream) !== 0;
    const bytes = source.subarray(start, end);
    if ((flags & frameFlag.endHeaders) !== 0) return { streamId, endsStream, bytes };
    this.#open = { streamId, endsStream, parts: [bytes] };
    this.#openBytes = bytes.length;
    return undefined;
  }

  /** Takes CONTINUATION. Returns the block if that was the last of it. */
  proceed({ streamId, flags, source, start, end }: Frame): HeaderBlock | undefined {
    const open = this.#open;
    if (open?.streamId !== streamId) {
      throw new ConnectionError(errorCode.protocol, "a continuation of no open header block");
    }
    open.parts.push(source.subarray(start, end));
    this.#openBytes += end - start;
    if (this.#openBytes > this.#maxBlockBytes || open.parts.length > maxContinuations) {
      throw new ConnectionError(errorCode.enhanceYourCalm, "a header block of too many bytes or frames");
    }
    if ((flags & frameFlag.endHeaders) === 0) return undefined;
    this.#open = undefined;
    return { streamId, endsStream: open.endsStream, bytes: Buffer.concat(open.parts) };
  }

  /** Every block must be read, whatever becomes of it: later ones may refer to it. */
  decode(block: Buffer): DecodedBlock {
    return this.#decoder.decode(block);
  }

  /** Reads the block of a new request. */
  request(block: Buffer): RequestHead | Malformed | "tooLarge" {
    if (this.#rememberedGeneration !== this.#decoder.generation) {
      this.#remembered.clear();
      this.#rememberedGeneration = this.#decoder.generation;
    }
    const name = block.length <= maxRememberedBytes ? block.toString("latin1") : undefined;
    const remembered = name === undefined ? undefined : this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const { headers, isTooLarge, isRepeatable } = this.#decoder.decode(block);
    if (isTooLarge) return "tooLarge";
    const head = readRequestHead(headers);
    if (isRepeatable && name !== undefined && !("malformed" in head)) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      this.#remembered.set(name, head);
    }
    return head;
  }
}
