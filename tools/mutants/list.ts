/** Guards that dkv's promises rest on. Each is taken out once; a suite that does not notice has a hole. */
import { clientMutants } from "./list/client.ts";
import { consensusMutants } from "./list/consensus.ts";
import { doorMutants } from "./list/doors.ts";
import { etcdMutants } from "./list/etcd.ts";
import { etcdStreamMutants } from "./list/etcd-streams.ts";
import { guardMutants } from "./list/guards.ts";
import { memberMutants } from "./list/member.ts";
import { membershipMutants } from "./list/membership.ts";
import { ruleMutants } from "./list/rules.ts";
import { storageMutants } from "./list/storage.ts";
import { storeMutants } from "./list/store.ts";
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  ...consensusMutants,
  ...membershipMutants,
  ...memberMutants,
  ...storageMutants,
  ...storeMutants,
  ...ruleMutants,
  ...clientMutants,
  ...doorMutants,
  ...etcdMutants,
  ...etcdStreamMutants,
  ...guardMutants,
];
