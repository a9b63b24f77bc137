/** CRC-32C (Castagnoli), which Node's zlib does not have. Eight bytes a step, by tables. */

const polynomial = 0x82f63b78;
const tableCount = 8;

const tables: readonly Uint32Array[] = makeTables();

/** @param before the checksum of what stands in front of the data; 0 for nothing */
export function crc32c(data: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~before;
  let at = 0;
  if (t0 && t1 && t2 && t3 && t4 && t5 && t6 && t7) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (; at + 8 <= data.length; at += 8) {
      const low = view.getUint32(at, true) ^ crc;
      const high = view.getUint32(at + 4, true);
      crc =
        of(t7, low) ^
        of(t6, low >>> 8) ^
        of(t5, low >>> 16) ^
        of(t4, low >>> 24) ^
        of(t3, high) ^
        of(t2, high >>> 8) ^
        of(t1, high >>> 16) ^
        of(t0, high >>> 24);
    }
    for (; at < data.length; at += 1) crc = of(t0, crc ^ (data[at] ?? 0)) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function of(table: Uint32Array, byte: number): number {
  return table[byte & 0xff] ?? 0;
}

function makeTables(): readonly Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    first[byte] = crc;
  }
  const all = [first];
  for (let table = 1; table < tableCount; table += 1) {
    const before = all[table - 1] ?? first;
    all.push(Uint32Array.from(before, (crc) => of(first, crc) ^ (crc >>> 8)));
  }
  return all;
}
