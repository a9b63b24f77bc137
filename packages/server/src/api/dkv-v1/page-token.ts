/**
 * Where a list of keys goes on, as a text that clients hand back and need not understand:
 *
 *   1 byte    version of the format
 *   8 bytes   revision that all pages show
 *   n bytes   key of which the page takes those behind it
 *   8 bytes   checksum of all that, of the cluster, and of the request but for its limit
 *
 * The checksum keeps a token from being used with another request, or with another cluster, where it would
 * give a list with gaps. It is no secret: whoever forges a token can list what may be listed anyway.
 */
import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type ListRequest, ListRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import type { Revision } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";

/** Up to where a list was given. */
export interface PagePosition {
  readonly revision: Revision;
  /** The last key that was given. */
  readonly lastKey: Uint8Array;
}

/** What a token belongs to. */
export interface PageContext {
  readonly clusterId: bigint;
  readonly request: ListRequest;
}

const format = 1;
const keyOffset = 9;
const checksumBytes = 8;

export function encodePageToken({ revision, lastKey }: PagePosition, context: PageContext): string {
  const head = Buffer.alloc(keyOffset);
  head.writeUInt8(format, 0);
  head.writeBigUInt64BE(BigInt(revision), 1);
  const content = Buffer.concat([head, lastKey]);
  return Buffer.concat([content, checksum(content, context)]).toString("base64url");
}

/** Throws a DkvError if the request has a token that was not made for it. */
export function decodePageToken(context: PageContext): PagePosition {
  const bytes = Buffer.from(context.request.pageToken, "base64url");
  const content = bytes.subarray(0, Math.max(0, bytes.length - checksumBytes));
  if (
    content.length <= keyOffset ||
    content.readUInt8(0) !== format ||
    !checksum(content, context).equals(bytes.subarray(content.length))
  )
    throw new DkvError(
      "invalidRequest",
      "page_token was not given for this request by this cluster: leave the rest of the request, but for " +
        "its limit, as it was, or begin with the first page",
    );
  return { revision: Number(content.readBigUInt64BE(1)), lastKey: content.subarray(keyOffset) };
}

function checksum(content: Uint8Array, { clusterId, request }: PageContext): Buffer {
  const cluster = Buffer.alloc(8);
  cluster.writeBigUInt64BE(clusterId);
  const asked = toBinary(ListRequestSchema, { ...request, pageToken: "", limit: 0 });
  return createHash("sha256")
    .update(cluster)
    .update(content)
    .update(asked)
    .digest()
    .subarray(0, checksumBytes);
}
