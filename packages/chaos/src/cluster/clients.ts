/** Clients of the cluster as it is now: one that knows all members, and one for each member. */
import type { Cluster, Member } from "@dkv/cluster";
import type { Access } from "../load/store.ts";

interface Closable {
  close(): void;
}

export class Clients<Client extends Closable> implements Access<Client> {
  readonly #cluster: Cluster;
  readonly #connect: (endpoints: readonly string[]) => Client;
  /** By the addresses they know. */
  readonly #open = new Map<string, Client>();

  /** @param connect makes a client of the members at these addresses */
  constructor(cluster: Cluster, connect: (endpoints: readonly string[]) => Client) {
    this.#cluster = cluster;
    this.#connect = connect;
  }

  all(): Client {
    return this.#to(this.#cluster.members);
  }

  of(member: Member): Client {
    return this.#to([member]);
  }

  next(turn: number): Client {
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

  #to(members: readonly Member[]): Client {
    const endpoints = members.map(({ clientAddress }) => clientAddress);
    const name = endpoints.join(" ");
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const client = this.#connect(endpoints);
    this.#open.set(name, client);
    return client;
  }
}
