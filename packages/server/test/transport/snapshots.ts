/** Snapshots made up for tests of how they travel: chunks are bytes, and nobody looks inside. */
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { logIndex, term } from "@dkv/raft";
import type { SnapshotHeader, SnapshotTrailer } from "@dkv/snapshot";
import type { PeerAddress, TransportOptions } from "../../src/transport/options.ts";
import type { PeerEvents } from "../../src/transport/peer-transport.ts";
import type { IncomingSnapshot, Snapshot } from "../../src/transport/snapshot/snapshot.ts";
import {
  addresses,
  atEnd,
  authority,
  clusterId,
  connected,
  issue,
  type Member,
  member,
  portOf,
  Record,
  start,
  started,
  tlsFiles,
} from "./fixture.ts";

export const header: SnapshotHeader = {
  snapshotId: 5n,
  clusterId,
  last: { index: logIndex(70), term: term(3) },
  configuration: { voters: [], outgoing: [], learners: [], context: new Uint8Array() },
  revision: 60,
};

export interface MadeUp extends Snapshot {
  /** Numbers of the chunks that were read, by each reader in turn. */
  readonly read: number[];
  /** Readers that have neither come to the end nor been dismissed. */
  readers(): number;
}

/** Chunks of `bytes`, which begin with their number. */
export function madeUp(count: number, bytes = 1000, overrides: Partial<SnapshotHeader> = {}): MadeUp {
  const read: number[] = [];
  let readers = 0;
  return {
    header: { ...header, ...overrides },
    read,
    readers: () => readers,
    async *chunks(skip: number): AsyncGenerator<Buffer, SnapshotTrailer> {
      readers += 1;
      try {
        for (let number = skip + 1; number <= count; number += 1) {
          read.push(number);
          yield await Promise.resolve(chunk(number, bytes));
        }
        return { chunks: count, records: count, chain: 7 };
      } finally {
        readers -= 1;
      }
    },
  };
}

function chunk(number: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes, number);
  buffer.writeUInt32BE(number);
  return buffer;
}

/** What a member receives, in memory instead of on disk; stays over broken connections. */
export class Shelf {
  /** Numbers of the chunks, in the order in which they were written. */
  readonly written = new Record<number>();
  readonly offers: { readonly term: number; readonly snapshotId: bigint }[] = [];
  readonly completions = new Record<bigint>();
  readonly trailers: SnapshotTrailer[] = [];
  /** Receptions that are open, and the most that there ever were. */
  open = 0;
  mostOpen = 0;
  /** Waited for by each write, before it counts. */
  onWrite: (number: number) => Promise<void> = () => Promise.resolve();
  onFinish: () => Promise<void> = () => Promise.resolve();
  onOffer: () => Promise<void> = () => Promise.resolve();
  onClose: () => void = () => undefined;
  #snapshotId = 0n;
  #received = 0;

  events(): Pick<PeerEvents, "onSnapshot" | "onSnapshotComplete"> {
    return {
      onSnapshot: async (_from, ofTerm, { snapshotId }) => {
        this.offers.push({ term: ofTerm, snapshotId });
        await this.onOffer();
        if (this.#snapshotId !== snapshotId) this.#received = 0;
        this.#snapshotId = snapshotId;
        return { kind: "receive", incoming: this.#receive() };
      },
      onSnapshotComplete: (_from, _term, { snapshotId }) => this.completions.add(snapshotId),
    };
  }

  #receive(): IncomingSnapshot {
    this.open += 1;
    this.mostOpen = Math.max(this.open, this.mostOpen);
    const received = () => this.#received;
    return {
      get received() {
        return received();
      },
      write: async (bytes) => {
        const number = bytes.readUInt32BE();
        await this.onWrite(number);
        this.#received += 1;
        this.written.add(number);
      },
      finish: async (trailer) => {
        await this.onFinish();
        this.trailers.push(trailer);
      },
      close: () => {
        this.onClose();
        this.open -= 1;
        return Promise.resolve();
      },
    };
  }
}

/** Passes bytes on to a member, until it is told to cut what it has. */
export async function passage(to: PeerAddress, at: PeerAddress): Promise<{ cut(): void }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((near) => {
    const far = net.connect({ host: "localhost", port: portOf(to) });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen({ host: "localhost", port: portOf(at) });
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  atEnd(() => {
    server.close();
    cut();
  });
  return { cut };
}

export interface Pair {
  readonly a: Member;
  readonly b: Member;
  /** What b receives. */
  readonly shelf: Shelf;
}

const files = tlsFiles(authority, await issue(["localhost"]));

/** Two members, of which the second takes snapshots. */
export async function pair(
  overrides: Partial<TransportOptions> = {},
  events: Partial<PeerEvents> = {},
): Promise<Pair> {
  const all = await addresses(2);
  const shelf = new Shelf();
  const options = { tls: files, ...overrides };
  const [a, b] = [await started(all, 0, options), member(all, 1, options)];
  await start(b, { ...shelf.events(), ...events });
  await connected(a, b.address);
  await connected(b, a.address);
  return { a, b, shelf };
}

export const send = ({ a, b }: Pair, snapshot: Snapshot, ofTerm = 3) =>
  a.transport.sendSnapshot(b.address.id, snapshot, term(ofTerm));
