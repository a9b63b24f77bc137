/**
 * Members over TCP, with mutual TLS or in clear.
 *
 * Each member dials every other one, sends on the connection that it dialled and receives on those that
 * it accepted. Both begin with a greeting; what follows are frames, of which empty ones are signs of
 * life: the dialling side sends them steadily, and the other side returns them while anything comes in.
 */
import assert from "node:assert/strict";
import type { NodeId } from "@dkv/raft";
import type { Cancel } from "../platform/clock.ts";
import { StartupError } from "../platform/startup-error.ts";
import { readTlsMaterial, type TlsMaterial, watchTlsMaterial } from "../platform/tls-files.ts";
import { Complaints } from "./complaints.ts";
import { defaultTiming, type Timing, type TransportDeps, type TransportOptions } from "./options.ts";
import { OutboundLink } from "./outbound-link.ts";
import { PeerListener } from "./peer-listener.ts";
import { PeerRecord } from "./peer-record.ts";
import type { PeerEvents, PeerFrame, PeerStatus, PeerTransport } from "./peer-transport.ts";

/**
 * Does nothing until it is started. Its `start` rejects with a StartupError if a certificate or the address
 * cannot be had.
 */
export function createTcpTransport(options: TransportOptions, deps: TransportDeps): PeerTransport {
  return new TcpTransport(options, deps);
}

class TcpTransport implements PeerTransport {
  readonly #options: TransportOptions;
  readonly #deps: TransportDeps;
  readonly #timing: Timing;
  readonly #complaints: Complaints;
  readonly #records: ReadonlyMap<bigint, PeerRecord>;
  readonly #links: ReadonlyMap<bigint, OutboundLink>;
  #material: TlsMaterial | undefined;
  #listener: PeerListener | undefined;
  #cancels: readonly Cancel[] = [];
  #isClosed = false;

  constructor(options: TransportOptions, deps: TransportDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#complaints = new Complaints(deps);
    this.#records = new Map(options.peers.map((peer) => [peer.id, new PeerRecord(peer)]));
    const linkDeps = {
      ...deps,
      complaints: this.#complaints,
      timing: this.#timing,
      tlsMaterial: () => this.#material,
    };
    this.#links = new Map(
      Array.from(this.#records, ([id, record]) => [id, new OutboundLink(options, record, linkDeps)]),
    );
  }

  async start(events: PeerEvents): Promise<void> {
    assert(this.#listener === undefined && !this.#isClosed, "a transport is started once");
    const { clock } = this.#deps;
    this.#material = this.#readMaterial();
    const listener = new PeerListener(this.#options, this.#material, {
      ...this.#deps,
      complaints: this.#complaints,
      timing: this.#timing,
      peers: this.#records,
      events,
      onWelcome: ({ address }) => this.#links.get(address.id)?.dialNow(),
    });
    this.#listener = listener;
    await listener.listen();
    // Closed while the address was being had.
    if (this.#isClosed) return listener.close();
    for (const link of this.#links.values()) link.start();
    const beat = clock.every(this.#timing.pingMs, () => {
      const nowMs = clock.nowMs();
      for (const link of this.#links.values()) link.beat(nowMs);
      listener.beat(nowMs);
    });
    this.#cancels = [beat, this.#watchMaterial(listener)];
  }

  send(to: NodeId, frame: PeerFrame): boolean {
    const link = this.#links.get(to);
    assert(link !== undefined, "frames go to members of the cluster");
    return link.send(frame);
  }

  peers(): readonly PeerStatus[] {
    return Array.from(this.#records, ([id, record]) => ({
      ...record.status(),
      isConnected: this.#links.get(id)?.isConnected ?? false,
    }));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
    for (const link of this.#links.values()) link.close();
    await this.#listener?.close();
  }

  #readMaterial(): TlsMaterial | undefined {
    const { tls } = this.#options;
    if (tls === undefined) return undefined;
    // Without a CA of its own a member would accept every certificate that the public ones ever issued.
    if (tls.trustedCaFile === undefined)
      throw new StartupError("usage", "peers with TLS need --peer-trusted-ca-file");
    return readTlsMaterial(tls);
  }

  #watchMaterial(listener: PeerListener): Cancel {
    const { tls } = this.#options;
    if (tls === undefined) return () => undefined;
    return watchTlsMaterial(tls, this.#deps, (material) => {
      this.#material = material;
      listener.replace(material);
    });
  }
}
