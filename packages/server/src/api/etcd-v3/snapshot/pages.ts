/**
 * Pages of a bbolt file, the format of etcd's database. Numbers are little-endian.
 *
 *   page            0  number, 8   8  kind, 2   10  elements, 2   12  pages behind it that belong to it, 4
 *   leaf element    0  1 for a table, 4   4  from here to its key, 4   8  bytes of key, 4   12  of value, 4
 *   branch element  0  from here to its key, 4   4  bytes of key, 4    8  page, 8
 *   meta, twice     magic, 4   version, 4   page size, 4   flags, 4   root page, 8   sequence, 8
 *                   page of free ones, 8   pages, 8   transaction, 8   FNV-1a of all that, 8
 */

export const pageBytes = 4096;
export const pageHeaderBytes = 16;
export const elementBytes = 16;

const kinds = { branch: 0x01, leaf: 0x02, meta: 0x04, free: 0x10 } as const;
const tableFlag = 1;
const magic = 0xed0cdaed;
const version = 2;

export interface LeafElement {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Whether the value stands for a table. */
  readonly isTable?: boolean;
}

export interface BranchElement {
  /** The first one below it. */
  readonly key: Uint8Array;
  readonly page: number;
}

/** So many pages take a page with so many bytes. */
export const pagesFor = (bytes: number): number => Math.ceil(bytes / pageBytes);

/** Bytes of a leaf element with its key and value. */
export const leafBytes = (keyBytes: number, valueBytes: number): number =>
  elementBytes + keyBytes + valueBytes;

/** A leaf as a whole number of pages. */
export function leafPage(page: number, elements: readonly LeafElement[]): Buffer {
  const bytes = elements.reduce(
    (sum, { key, value }) => sum + leafBytes(key.length, value.length),
    pageHeaderBytes,
  );
  const buffer = Buffer.alloc(pagesFor(bytes) * pageBytes);
  writeLeaf(buffer, page, elements);
  return buffer;
}

/** A table without anything in it, as the value under its name. */
export function emptyTable(): Buffer {
  const buffer = Buffer.alloc(tableBytes + pageHeaderBytes);
  buffer.writeUInt16LE(kinds.leaf, tableBytes + 8);
  return buffer;
}

const tableBytes = 16;

/** A table whose first page is that one, as the value under its name. */
export function tableAt(page: number): Buffer {
  const buffer = Buffer.alloc(tableBytes);
  buffer.writeBigUInt64LE(BigInt(page));
  return buffer;
}

export function branchPage(page: number, elements: readonly BranchElement[]): Buffer {
  const bytes = elements.reduce((sum, { key }) => sum + elementBytes + key.length, pageHeaderBytes);
  const buffer = Buffer.alloc(pagesFor(bytes) * pageBytes);
  writeHeader(buffer, page, { kind: kinds.branch, count: elements.length });
  let dataAt = pageHeaderBytes + elements.length * elementBytes;
  for (const [place, { key, page: below }] of elements.entries()) {
    const at = pageHeaderBytes + place * elementBytes;
    buffer.writeUInt32LE(dataAt - at, at);
    buffer.writeUInt32LE(key.length, at + 4);
    buffer.writeBigUInt64LE(BigInt(below), at + 8);
    buffer.set(key, dataAt);
    dataAt += key.length;
  }
  return buffer;
}

/** The page that says which ones are free: none. */
export function freePage(page: number): Buffer {
  const buffer = Buffer.alloc(pageBytes);
  writeHeader(buffer, page, { kind: kinds.free, count: 0 });
  return buffer;
}

/** @param pages of the file */
export function metaPage(
  page: number,
  { root, free, pages }: { root: number; free: number; pages: number },
): Buffer {
  const buffer = Buffer.alloc(pageBytes);
  writeHeader(buffer, page, { kind: kinds.meta, count: 0 });
  let at = buffer.writeUInt32LE(magic, pageHeaderBytes);
  at = buffer.writeUInt32LE(version, at);
  at = buffer.writeUInt32LE(pageBytes, at);
  at = buffer.writeUInt32LE(0, at);
  // The number of a transaction is that of its meta page, modulo two.
  for (const number of [root, 0, free, pages, page]) at = buffer.writeBigUInt64LE(BigInt(number), at);
  buffer.writeBigUInt64LE(fnv1a(buffer.subarray(pageHeaderBytes, at)), at);
  return buffer;
}

function writeLeaf(buffer: Buffer, page: number, elements: readonly LeafElement[]): void {
  writeHeader(buffer, page, { kind: kinds.leaf, count: elements.length });
  let dataAt = pageHeaderBytes + elements.length * elementBytes;
  for (const [place, { key, value, isTable = false }] of elements.entries()) {
    const at = pageHeaderBytes + place * elementBytes;
    buffer.writeUInt32LE(isTable ? tableFlag : 0, at);
    buffer.writeUInt32LE(dataAt - at, at + 4);
    buffer.writeUInt32LE(key.length, at + 8);
    buffer.writeUInt32LE(value.length, at + 12);
    buffer.set(key, dataAt);
    buffer.set(value, dataAt + key.length);
    dataAt += key.length + value.length;
  }
}

function writeHeader(buffer: Buffer, page: number, { kind, count }: { kind: number; count: number }): void {
  buffer.writeBigUInt64LE(BigInt(page), 0);
  buffer.writeUInt16LE(kind, 8);
  buffer.writeUInt16LE(count, 10);
  buffer.writeUInt32LE(buffer.length / pageBytes - 1, 12);
}

function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
