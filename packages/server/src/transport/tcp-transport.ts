/**
 * Members over TCP, with mutual TLS or in clear.
 *
 * Each member dials every other one, sends on the connection that it dialled and receives on those that
 * it accepted. Both begin with a greeting; what follows are frames, of which empty ones are signs of
 * life: the dialling side sends them steadily, and the other side returns them while anything comes in.
 * A snapshot has a connection of its own, so that nothing else waits behind it.
 */
import assert from "node:assert/strict";
import type { NodeId, Term } from "@dkv/raft";
import type { Cancel } from "../platform/clock.ts";
import { type TlsMaterial, watchTlsMaterial } from "../platform/tls-files.ts";
import { Complaints } from "./complaints.ts";
import { readPeerMaterial } from "./dial.ts";
import {
  defaultTiming,
  type PeerAddress,
  type Timing,
  type TransportDeps,
  type TransportOptions,
} from "./options.ts";
import { isAnother } from "./greeting.ts";
import { Guests } from "./guests.ts";
import { OutboundLink } from "./outbound-link.ts";
import { PeerListener } from "./peer-listener.ts";
import { PeerRecord } from "./peer-record.ts";
import type { PeerEvents, PeerFrame, PeerStatus, PeerTransport } from "./peer-transport.ts";
import { Receptions } from "./snapshot/receptions.ts";
import type { Snapshot, SnapshotTransfer } from "./snapshot/snapshot.ts";
import { Transfers } from "./snapshot/transfers.ts";

/**
 * Does nothing until it is started. Its `start` rejects with a StartupError if a certificate or the address
 * cannot be had.
 */
export function createTcpTransport(options: TransportOptions, deps: TransportDeps): PeerTransport {
  return new TcpTransport(options, deps);
}

/** What a disk is doing with a snapshot gets so long to end when the transport is closed. */
const closeMs = 1000;

/** What there is once it was started. */
interface Running {
  readonly events: PeerEvents;
  readonly listener: PeerListener;
  readonly receptions: Receptions;
}

class TcpTransport implements PeerTransport {
  readonly #options: TransportOptions;
  readonly #deps: TransportDeps;
  readonly #timing: Timing;
  readonly #complaints: Complaints;
  readonly #records = new Map<NodeId, PeerRecord>();
  readonly #links = new Map<NodeId, OutboundLink>();
  /** Links to former peers, which still have something to take. */
  readonly #retired = new Set<OutboundLink>();
  /** Peers whose link is about to be dialled anew, with other certificates. */
  readonly #renewing = new Set<NodeId>();
  readonly #transfers: Transfers;
  #removed: ReadonlySet<NodeId> = new Set();
  readonly #guests = new Guests();
  #ownAddress = "";
  #material: TlsMaterial | undefined;
  #running: Running | undefined;
  #isListening = false;
  #cancels: readonly Cancel[] = [];
  #isClosed = false;

  constructor(options: TransportOptions, deps: TransportDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#complaints = new Complaints(deps);
    this.#transfers = new Transfers(options, this.#linkDeps());
    for (const peer of options.peers) this.#add(peer);
  }

  async start(events: PeerEvents): Promise<void> {
    assert(this.#running === undefined && !this.#isClosed, "a transport is started once");
    const { clock } = this.#deps;
    this.#material = readPeerMaterial(this.#options.tls);
    const running = this.#createListener(events);
    const { listener, receptions } = running;
    this.#running = running;
    await listener.listen();
    // Closed while the address was being had.
    if (this.#isClosed) return listener.close();
    this.#isListening = true;
    for (const link of this.#links.values()) link.start();
    const beat = clock.every(this.#timing.pingMs, () => {
      const nowMs = clock.nowMs();
      for (const link of this.#links.values()) link.beat(nowMs);
      listener.beat(nowMs);
      receptions.beat(nowMs);
      this.#transfers.beat(nowMs);
      this.#dismissGuests(nowMs);
    });
    this.#cancels = [beat, this.#watchMaterial(listener)];
  }

  send(to: NodeId, frame: PeerFrame): boolean {
    return this.#links.get(to)?.send(frame) ?? false;
  }

  setPeers(peers: readonly PeerAddress[], removed: ReadonlySet<NodeId>): void {
    if (this.#isClosed) return;
    this.#removed = removed;
    const wanted = new Map(peers.map((peer) => [peer.id, peer]));
    this.#ownAddress = wanted.get(this.#options.self.id)?.peerAddress ?? this.#ownAddress;
    wanted.delete(this.#options.self.id);
    const nowMs = this.#deps.clock.nowMs();
    for (const id of this.#records.keys()) {
      if (removed.has(id)) this.#drop(id);
      else if (!wanted.has(id)) this.#guests.add(id, nowMs);
    }
    for (const peer of wanted.values()) {
      this.#guests.delete(peer.id);
      const record = this.#records.get(peer.id);
      if (record === undefined) this.#add(peer);
      else this.#move(record, peer);
    }
  }

  sendSnapshot(to: NodeId, snapshot: Snapshot, term: Term): SnapshotTransfer {
    return this.#transfers.begin(this.#isClosed ? undefined : this.#records.get(to), snapshot, term);
  }

  peers(): readonly PeerStatus[] {
    return Array.from(this.#records, ([id, record]) => ({
      ...record.status(),
      isConnected: this.#links.get(id)?.isConnected ?? this.#renewing.has(id),
    }));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
    for (const link of [...this.#links.values(), ...this.#retired]) link.close();
    const closed = Promise.all([
      this.#transfers.close(),
      this.#running?.listener.close(),
      this.#running?.receptions.close(),
    ]);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(closeMs, resolve);
    await Promise.race([closed, late]);
    cancel();
  }

  #createListener(events: PeerEvents): Running {
    const deps = { ...this.#deps, complaints: this.#complaints, timing: this.#timing, events };
    const receptions = new Receptions({ ...deps, clusterId: this.#options.clusterId });
    const listener = new PeerListener(this.#options, this.#material, {
      ...deps,
      peers: this.#records,
      removed: () => this.#removed,
      admit: (address) => this.#admit(address),
      onWelcome: ({ address }) => this.#links.get(address.id)?.dialNow(),
      onSnapshot: (peer, connection) => {
        receptions.add(peer, connection);
      },
    });
    return { events, listener, receptions };
  }

  #linkDeps() {
    return {
      ...this.#deps,
      complaints: this.#complaints,
      timing: this.#timing,
      tlsMaterial: () => this.#material,
      ownAddress: () => this.#ownAddress,
      onRemoved: () => this.#running?.events.onRemoved(),
      onDataLost: (reason: string) => this.#running?.events.onDataLost(reason),
    };
  }

  #add(peer: PeerAddress): void {
    const record = new PeerRecord(peer);
    this.#records.set(peer.id, record);
    this.#link(record);
  }

  /** A member of which we do not know has found us. */
  #admit(address: PeerAddress): PeerRecord | undefined {
    const { isLost } = this.#options;
    if (this.#isClosed || isLost?.() !== true || !this.#guests.hasRoom) return undefined;
    this.#deps.logger.info(
      { peer: address.name },
      "a member that this one does not know of yet has found it",
    );
    this.#guests.add(address.id, this.#deps.clock.nowMs());
    this.#add(address);
    return this.#records.get(address.id);
  }

  #dismissGuests(nowMs: number): void {
    for (const id of this.#guests.ids) {
      if (this.#guests.isGone(id, this.#records.get(id)?.status().lastHeardMs, nowMs)) this.#drop(id);
    }
  }

  #link(record: PeerRecord): void {
    const link = new OutboundLink(this.#options, record, this.#linkDeps());
    this.#links.set(record.address.id, link);
    if (this.#isListening) link.start();
  }

  #drop(id: NodeId): void {
    const link = this.#links.get(id);
    this.#records.delete(id);
    this.#links.delete(id);
    this.#guests.delete(id);
    this.#transfers.cancel(id);
    const reason = "it is no member of the cluster any more";
    this.#running?.listener.disconnect(id, reason);
    this.#running?.receptions.disconnect(id, reason);
    if (link === undefined) return;
    this.#retired.add(link);
    link.retire(() => this.#retired.delete(link));
  }

  #move(record: PeerRecord, to: PeerAddress): void {
    const { peerAddress, id } = record.address;
    if (isAnother(record, to)) this.#running?.listener.disconnect(id, "it has lost its data");
    record.moved(to);
    if (peerAddress !== to.peerAddress) this.#links.get(id)?.moved();
  }

  #watchMaterial(listener: PeerListener): Cancel {
    const { tls } = this.#options;
    if (tls === undefined) return () => undefined;
    return watchTlsMaterial(tls, this.#deps, (material) => {
      this.#material = material;
      listener.replace(material);
      for (const [id, link] of this.#links) {
        if (link.isOutdated(material)) this.#renew(id, link);
      }
    });
  }

  /** Dials anew once the peer has all that was queued: nothing is lost, and nothing overtakes. */
  #renew(id: NodeId, link: OutboundLink): void {
    this.#links.delete(id);
    this.#retired.add(link);
    this.#renewing.add(id);
    link.retire(() => {
      this.#retired.delete(link);
      this.#renewing.delete(id);
      const record = this.#records.get(id);
      if (record !== undefined && !this.#links.has(id) && !this.#isClosed) this.#link(record);
    });
  }
}
