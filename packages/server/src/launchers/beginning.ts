/** How a member begins that is told of no cluster, but only whom it is to join, if anybody. */
import { usage } from "../config/value-reader.ts";
import { checkAddresses, type Listening } from "../platform/listening.ts";
import { holdsMember } from "../storage/open-storage.ts";
import { joinThrough } from "./join-through.ts";
import type { LauncherDeps } from "./launcher.ts";

export interface Newcomer {
  readonly name: string;
  /** Where the others reach it, as host:port. */
  readonly peerAddress: string;
  readonly dataDir: string;
  /**
   * What an empty directory becomes: a cluster of one, or a member of the cluster to which the member with
   * this client address belongs. Undefined: it may not be empty.
   */
  readonly begins: "alone" | { readonly through: string } | undefined;
  /** What says how it begins, for people: "-bootstrap=true". Undefined: nothing does. */
  readonly told: string | undefined;
  /** Where it is to listen. */
  readonly listenings: readonly Listening[];
}

/**
 * The flags that say so. A member with data goes by that, and asks nobody. Rejects with a StartupError.
 *
 * @param hint what to do if the directory is empty and may not be
 */
export async function beginningOf(
  newcomer: Newcomer,
  hint: string,
  deps: LauncherDeps,
): Promise<readonly string[]> {
  const { name, peerAddress, dataDir, begins, listenings } = newcomer;
  if (holdsMember(dataDir)) return goingOn(newcomer, deps);
  if (begins === undefined) throw usage(`${dataDir} holds no member yet: ${hint}`);
  if (begins === "alone") return [`--initial-cluster=${name}=${peerAddress}`, "--initial-cluster-state=new"];
  // Whoever is let in and cannot start is counted all the same.
  await checkAddresses(listenings);
  const others = await joinThrough(begins.through, { name, peerAddress }, deps);
  return [`--initial-cluster=${others}`, "--initial-cluster-state=existing"];
}

function goingOn({ dataDir, told }: Newcomer, { say }: LauncherDeps): readonly [] {
  if (told !== undefined) say(`${dataDir} holds a member already, which goes on: ${told} is ignored`);
  return [];
}
