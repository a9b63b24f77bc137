/**
 * A configuration as bytes: the data of an entry of kind "configuration", and part of what stands before the
 * first entry of a compacted log. Numbers are big-endian.
 *
 *   0  format, 1
 *   1  counts of voters, outgoing voters and learners, 16 bits each
 *   7  their ids, 64 bits each, in this order
 *   .  context, to the end
 */
import { type NodeId, nodeId } from "../types.ts";
import { type Configuration, flawOf } from "./configuration.ts";

const format = 1;
const headerBytes = 7;
const idBytes = 8;

export function encodeConfiguration({ voters, outgoing, learners, context }: Configuration): Uint8Array {
  const groups = [voters, outgoing, learners];
  const ids = groups.flat();
  const bytes = new Uint8Array(headerBytes + ids.length * idBytes + context.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, format);
  for (const [position, group] of groups.entries()) view.setUint16(1 + 2 * position, group.length);
  for (const [position, id] of ids.entries()) view.setBigUint64(headerBytes + position * idBytes, id);
  bytes.set(context, headerBytes + ids.length * idBytes);
  return bytes;
}

/** Throws RangeError if the bytes are no configuration. The context is a view into them. */
export function decodeConfiguration(data: Uint8Array): Configuration {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < headerBytes || view.getUint8(0) !== format) throw malformed("its beginning");
  const counts = [view.getUint16(1), view.getUint16(3), view.getUint16(5)];
  let offset = headerBytes;
  const groups = counts.map((count): NodeId[] => {
    if (offset + count * idBytes > data.length) throw malformed("its length");
    const ids = Array.from({ length: count }, (_, position) =>
      nodeId(view.getBigUint64(offset + position * idBytes)),
    );
    offset += count * idBytes;
    return ids;
  });
  const [voters = [], outgoing = [], learners = []] = groups;
  const configuration = { voters, outgoing, learners, context: data.subarray(offset) };
  const flaw = flawOf(configuration);
  if (flaw !== undefined) throw malformed(flaw);
  return configuration;
}

function malformed(what: string): RangeError {
  return new RangeError(`these bytes are no configuration: ${what}`);
}
