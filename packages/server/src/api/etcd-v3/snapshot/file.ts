/**
 * A whole bbolt file as a stream, from entries that come in order, twice: once to learn how large
 * everything is, for the file begins with where its end is; then to be written. Of a table only the first
 * keys of its pages are kept in memory.
 *
 *   meta │ meta │ free │ leaves of the tables, one after the other │ their branches │ the tables' names
 */
import {
  branchPage,
  type BranchElement,
  elementBytes,
  emptyTable,
  freePage,
  leafBytes,
  type LeafElement,
  leafPage,
  metaPage,
  pageBytes,
  pageHeaderBytes,
  pagesFor,
  tableAt,
} from "./pages.ts";

export interface FileEntry {
  readonly table: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The same entries every time; those of a table follow each other, and come in the order of their keys. */
export type Entries = () => AsyncIterable<readonly FileEntry[]>;

export interface BboltFile {
  readonly bytes: number;
  /** In pieces of whole pages. */
  pieces(): AsyncGenerator<Buffer>;
}

/** Where a leaf is, and what it begins with. */
interface Leaf extends BranchElement {
  readonly table: string;
  readonly elements: number;
}

const freeAt = 2;
const firstLeaf = 3;

/** @param tables that there are, some of them without entries */
export async function bboltFile(tables: readonly string[], entries: Entries): Promise<BboltFile> {
  const { leaves, end } = await planLeaves(entries);
  const pages: Buffer[] = [];
  let next = end;
  const add = (make: (page: number) => Buffer): number => {
    const page = next;
    const buffer = make(page);
    pages.push(buffer);
    next += buffer.length / pageBytes;
    return page;
  };
  const names = tables
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((table): LeafElement => {
      const own = leaves.filter((leaf) => leaf.table === table);
      const value = own.length === 0 ? emptyTable() : tableAt(topOf(own, add));
      return { key: Buffer.from(table), value, isTable: true };
    });
  const root = add((page) => leafPage(page, names));
  const meta = { root, free: freeAt, pages: next };
  const head = Buffer.concat([metaPage(0, meta), metaPage(1, meta), freePage(freeAt)]);
  return {
    bytes: next * pageBytes,
    async *pieces() {
      yield head;
      yield* leafPages(leaves, entries);
      yield Buffer.concat(pages);
    },
  };
}

/** Branches above some pages, until there is one. Returns that one. */
function topOf(pages: readonly BranchElement[], add: (make: (page: number) => Buffer) => number): number {
  let level = pages;
  while (level.length > 1) {
    level = groupsOf(level).map((elements) => ({
      key: elements[0]?.key ?? new Uint8Array(),
      page: add((page) => branchPage(page, elements)),
    }));
  }
  return level[0]?.page ?? 0;
}

/** Those that have room in a page each, and two in any case, so that every level is shorter than the one below. */
function groupsOf(elements: readonly BranchElement[]): readonly (readonly BranchElement[])[] {
  const groups: BranchElement[][] = [];
  let group: BranchElement[] = [];
  let bytes = pageBytes;
  for (const element of elements) {
    const more = elementBytes + element.key.length;
    if (bytes + more > pageBytes && group.length !== 1) {
      group = [];
      groups.push(group);
      bytes = pageHeaderBytes;
    }
    group.push(element);
    bytes += more;
  }
  return groups;
}

async function planLeaves(
  entries: Entries,
): Promise<{ readonly leaves: readonly Leaf[]; readonly end: number }> {
  const leaves: Leaf[] = [];
  let page = firstLeaf;
  let open: { table: string; key: Uint8Array; elements: number; bytes: number } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    leaves.push({ table: open.table, key: open.key, page, elements: open.elements });
    page += pagesFor(open.bytes);
  };
  for await (const batch of entries()) {
    for (const { table, key, value } of batch) {
      const bytes = leafBytes(key.length, value.length);
      if (open === undefined || open.table !== table || open.bytes + bytes > pageBytes) {
        close();
        open = { table, key: Uint8Array.from(key), elements: 0, bytes: pageHeaderBytes };
      }
      open.elements += 1;
      open.bytes += bytes;
    }
  }
  close();
  return { leaves, end: page };
}

async function* leafPages(leaves: readonly Leaf[], entries: Entries): AsyncGenerator<Buffer> {
  let at = 0;
  let elements: LeafElement[] = [];
  for await (const batch of entries()) {
    for (const entry of batch) {
      const leaf = leaves[at];
      if (leaf === undefined) throw new Error("there are more entries than when they were counted");
      elements.push(entry);
      if (elements.length < leaf.elements) continue;
      yield leafPage(leaf.page, elements);
      elements = [];
      at += 1;
    }
    // What a batch has is not kept beyond it.
    elements = elements.map(({ key, value }) => ({
      key: Uint8Array.from(key),
      value: Uint8Array.from(value),
    }));
  }
  if (at !== leaves.length) throw new Error("there are fewer entries than when they were counted");
}
