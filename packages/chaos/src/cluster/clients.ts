/** Clients of the cluster as it is now: one that knows all members, and one for each member. */
import { DkvClient } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";

/** How long an operation of the load may take: less than most faults last, so that outcomes stay unknown. */
const timeoutMs = 3_000;

export class Clients {
  readonly #cluster: Cluster;
  readonly #caFile: string;
  /** By the addresses they know. */
  readonly #open = new Map<string, DkvClient>();

  constructor(cluster: Cluster, caFile: string) {
    this.#cluster = cluster;
    this.#caFile = caFile;
  }

  all(): DkvClient {
    return this.#to(this.#cluster.members);
  }

  /** One that knows this member only, though it may be told of the leader. */
  of(member: Member): DkvClient {
    return this.#to([member]);
  }

  /** The client that some loop takes in its next round: of each member in turn, and of all. */
  next(turn: number): DkvClient {
    const member = this.#cluster.members[turn % (this.#cluster.members.length + 1)];
    return member === undefined ? this.all() : this.of(member);
  }

  /** Closes those that know members which are gone. */
  forgetFormer(): void {
    const present = new Set(this.#cluster.members.map(({ clientAddress }) => clientAddress));
    for (const [name, client] of this.#open) {
      if (name.split(" ").every((address) => present.has(address))) continue;
      client.close();
      this.#open.delete(name);
    }
  }

  close(): void {
    for (const client of this.#open.values()) client.close();
    this.#open.clear();
  }

  #to(members: readonly Member[]): DkvClient {
    const endpoints = members.map(({ clientAddress }) => clientAddress);
    const name = endpoints.join(" ");
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const client = new DkvClient({ endpoints, tls: { caFile: this.#caFile }, timeoutMs });
    this.#open.set(name, client);
    return client;
  }
}
