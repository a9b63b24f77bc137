/** The network between the members: a proxy in front of each, which passes on what it is allowed to. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { after } from "../platform/time.ts";
import type { Random } from "../random.ts";
import type { Disturbance, Effect } from "./effects.ts";
import { ProxiedConnection } from "./proxied-connection.ts";

export interface FaultNetworkOptions {
  /** The member that has dialled from this port of 127.0.0.1; undefined: it is gone, or none of them. */
  readonly dialerAt: (port: number) => Promise<string | undefined>;
  readonly random: Random;
}

export class FaultNetwork {
  readonly #options: FaultNetworkOptions;
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Set<ProxiedConnection>();
  /** With what ends its own timers. */
  readonly #disturbances = new Map<Disturbance, () => void>();

  constructor(options: FaultNetworkOptions) {
    this.#options = options;
  }

  /** Puts a proxy in front of a member that listens on `localhost:port`; resolves to the proxy's address. */
  async open(name: string, listenAddress: string): Promise<string> {
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(listenAddress) ?? [];
    const target = { host, port: Number(port) };
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (dialled) => {
      void this.#accept(dialled, name, target);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.set(name, server);
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return `127.0.0.1:${String(address.port)}`;
  }

  /** Nobody reaches that member from now on: it has left. */
  closeMember(name: string): void {
    this.#servers.get(name)?.close();
    this.#servers.delete(name);
    for (const connection of this.#connections) {
      if (connection.link.to === name) connection.reset();
    }
  }

  /** Lasts until the returned function is called. Several may overlap, and add up. */
  impose(disturbance: Disturbance): () => void {
    const { effect } = disturbance;
    this.#disturbances.set(
      disturbance,
      effect.kind === "reset" ? this.#resetNowAndThen(disturbance, effect.meanMs) : () => undefined,
    );
    this.#refresh();
    return () => {
      this.#disturbances.get(disturbance)?.();
      this.#disturbances.delete(disturbance);
      this.#refresh();
    };
  }

  /** Connections that members have now. */
  get connections(): number {
    return this.#connections.size;
  }

  close(): void {
    for (const cancel of this.#disturbances.values()) cancel();
    for (const name of this.#servers.keys()) this.closeMember(name);
  }

  async #accept(dialled: Socket, to: string, target: { host: string; port: number }): Promise<void> {
    dialled.on("error", () => undefined);
    const { random, dialerAt } = this.#options;
    const from = await dialerAt(dialled.remotePort ?? 0);
    if (from === undefined || !this.#servers.has(to)) {
      dialled.destroy();
      return;
    }
    const connection = new ProxiedConnection({
      link: { from, to },
      dialled,
      target,
      random,
      onClosed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.feel(this.#effectsOn(connection));
  }

  #refresh(): void {
    for (const connection of this.#connections) connection.feel(this.#effectsOn(connection));
  }

  #effectsOn({ link }: ProxiedConnection): readonly Effect[] {
    return [...this.#disturbances.keys()].filter((one) => one.hits(link)).map(({ effect }) => effect);
  }

  #resetNowAndThen(disturbance: Disturbance, meanMs: number): () => void {
    const { random } = this.#options;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = after(random.between(1, 2 * meanMs), () => {
        const hit = [...this.#connections].filter(({ link }) => disturbance.hits(link));
        if (hit.length > 0) random.pick(hit).reset();
        next();
      });
    };
    next();
    return () => cancel();
  }
}
