/** What faults are done to, and what comes of trying one. */
import type { Member } from "@dkv/cluster";
import type { CertificateFiles } from "../cluster/certificate-files.ts";
import type { Disks } from "../cluster/disks.ts";
import type { Fleet } from "../cluster/fleet.ts";
import type { AllClients } from "../cluster/stores.ts";
import type { FaultNetwork } from "../network/fault-network.ts";
import type { Fault } from "../plan/faults.ts";
import { Random } from "../random.ts";

export interface Scene {
  readonly fleet: Fleet;
  readonly network: FaultNetwork;
  readonly clients: AllClients;
  readonly disks: Disks;
  readonly certificates: CertificateFiles;
  /** libfaketime, and the file that it reads the offset from; undefined: not installed. */
  readonly fakeTime: { readonly library: string; readonly file: string } | undefined;
}

export type Struck =
  | {
      readonly kind: "struck";
      /** Whom, and how hard, in a few words. */
      readonly what: string;
      /** Takes the cause away, and waits for what is still under way. */
      readonly heal: () => Promise<void>;
    }
  /** There is nobody to strike just now. */
  | { readonly kind: "impossible"; readonly because: string };

export const impossible = (because: string): Struck => ({ kind: "impossible", because });

export type Strike = (fault: Fault, scene: Scene) => Promise<Struck>;

/** The chance of a fault's details: one stream, to be taken once for each fault. */
export function detailsOf(fault: Fault): Random {
  return new Random(fault.seed, fault.kind);
}

/**
 * One of those that a fault may strike, who are not none. Drawn from a stream of its own: whom it strikes
 * says nothing of how.
 */
export function drawVictim<Candidate>(fault: Fault, candidates: readonly Candidate[]): Candidate {
  return new Random(fault.seed, `victim of ${fault.kind}`).pick(candidates);
}

/** The leader, if that is whom it strikes and there is one; otherwise any of those that qualify and run. */
export async function victimOf(
  fault: Fault,
  { fleet }: Scene,
  qualifies: (member: Member) => boolean = () => true,
): Promise<Member | undefined> {
  const leader = fault.strikesLeader ? await fleet.leader() : undefined;
  if (leader?.isRunning === true && qualifies(leader)) return leader;
  const candidates = fleet.running.filter(qualifies);
  return candidates.length === 0 ? undefined : drawVictim(fault, candidates);
}

export function namesOf(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(", ");
}
