import { cache } from "./cache.ts";
import { kvstore } from "./kvstore.ts";
import { etcd } from "./etcd/etcd.ts";
import type { Launcher } from "./launcher.ts";
import { minikv } from "./minikv.ts";

/** By the word that follows `dkv`. */
export const launchers: ReadonlyMap<string, Launcher> = new Map([
  ["kvstore", kvstore],
  ["cache", cache],
  ["minikv", minikv],
  ["etcd", etcd],
]);
