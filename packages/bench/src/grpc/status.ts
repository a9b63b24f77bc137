import { decodeHeaderBlock } from "@dkv/http2";

/** How a call ended, by its trailers. `undefined` where they hold no status. */
export interface Status {
  readonly code: number | undefined;
  readonly message: string;
}

const rememberedMax = 16;
const ok: Status = { code: 0, message: "" };

/**
 * Reads the status out of trailer blocks.
 *
 * Servers end nearly all calls with the same bytes. Blocks that were once decoded in full and meant success
 * are remembered and compared; their meaning does not depend on what came before (see
 * {@link decodeHeaderBlock}). Every other block is decoded each time.
 */
export class StatusReader {
  readonly #known: Buffer[] = [];

  read(source: Buffer, start: number, end: number): Status {
    for (const block of this.#known) {
      if (block.length === end - start && block.compare(source, start, end) === 0) return ok;
    }
    const block = Buffer.from(source.subarray(start, end));
    const status = statusIn(block);
    if (status.code === 0 && this.#known.length < rememberedMax) this.#known.push(block);
    return status;
  }
}

function statusIn(block: Buffer): Status {
  const trailers = new Map(decodeHeaderBlock(block));
  const code = trailers.get("grpc-status");
  return {
    code: code === undefined || !/^\d+$/.test(code) ? undefined : Number(code),
    message: trailers.get("grpc-message") ?? `HTTP status ${trailers.get(":status") ?? "unknown"}`,
  };
}
