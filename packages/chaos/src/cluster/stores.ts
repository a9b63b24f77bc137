/** Clients of both APIs, and those of them that the load takes. */
import { DkvClient } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";
import { EtcdStore } from "../etcd/etcd-store.ts";
import type { Access, Store } from "../load/store.ts";
import type { Api } from "../options.ts";
import { Clients } from "./clients.ts";

/** How long an operation of the load may take: less than most faults last, so that outcomes stay unknown. */
const timeoutMs = 3_000;

export interface AllClients {
  readonly dkv: Clients<DkvClient>;
  /** What the load asks: by dkv's API, by etcd's, or now by this and now by that one. */
  readonly stores: Access<Store>;
  /** Closes those that know members which are gone. */
  forgetFormer(): void;
  close(): void;
}

export function connectTo(cluster: Cluster, caFile: string, api: Api): AllClients {
  const dkv = new Clients(cluster, (endpoints) => new DkvClient({ endpoints, tls: { caFile }, timeoutMs }));
  const etcd = new Clients(cluster, (endpoints) => new EtcdStore({ endpoints, caFile, timeoutMs }));
  const stores: Readonly<Record<Api, Access<Store>>> = { dkv, etcd, both: inTurn([dkv, etcd]) };
  return {
    dkv,
    stores: stores[api],
    forgetFormer: () => {
      for (const one of [dkv, etcd]) one.forgetFormer();
    },
    close: () => {
      for (const one of [dkv, etcd]) one.close();
    },
  };
}

function inTurn([first, second]: readonly [Access<Store>, Access<Store>]): Access<Store> {
  let asked = 0;
  const one = (): Access<Store> => {
    asked += 1;
    return asked % 2 === 0 ? first : second;
  };
  return {
    all: () => one().all(),
    of: (member: Member) => one().of(member),
    next: (turn) => one().next(turn),
  };
}
