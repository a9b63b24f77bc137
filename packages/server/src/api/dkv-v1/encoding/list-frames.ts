import type { ListAnswer } from "../list-service.ts";
import { BackwardWriter } from "./backward-writer.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { keyValueBytes, writeKeyValues } from "./key-value.ts";

/** Enough for a header and a token. */
const usualBytes = 512;

/** The pages of lists as gRPC frames. The bytes are the very ones that protobuf-es writes. */
export class ListFrames {
  readonly #headers = new HeaderBytes();

  frame({ status, revision, found, nextPageToken }: ListAnswer): Buffer {
    const writer = new BackwardWriter(usualBytes + keyValueBytes(found));
    writer.bytes(3, Buffer.from(nextPageToken));
    writeKeyValues(writer, 2, found);
    this.#headers.write(writer, 1, { status, revision });
    return writer.finishFrame();
  }
}
