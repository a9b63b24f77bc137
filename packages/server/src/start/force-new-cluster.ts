/**
 * The last resort when a majority is lost for good: this member goes on alone. Everything in its log counts
 * as committed from now on, whether or not it was; what only the others had is gone. The others are removed,
 * so that none of them is let in again with its old data.
 */
import { encodeConfiguration, indexAfter, initialConfiguration, nextTerm } from "@dkv/raft";
import { StartupError } from "../platform/startup-error.ts";
import { holdsMember, openStorage, type OpenStorageOptions } from "../storage/open-storage.ts";

/** Changes what the directory holds; whoever opens it next is alone. Rejects with a StartupError. */
export async function forceNewCluster(options: OpenStorageOptions): Promise<void> {
  if (!holdsMember(options.dataDir)) {
    throw new StartupError(
      "environment",
      `--force-new-cluster goes on with a member's data, and ${options.dataDir} holds none: name the right --data-dir`,
    );
  }
  const { storage } = await openStorage(options);
  const { hardState, log, identity, configurations } = storage;
  const { context } = (configurations.at(-1) ?? configurations[0]).configuration;
  const configuration = initialConfiguration([identity.memberId], context);
  const term = nextTerm(hardState.term);
  const index = indexAfter(log.lastIndex);
  const entry = { term, index, kind: "configuration" as const, data: encodeConfiguration(configuration) };
  await storage.append({
    hardState: { term, votedFor: identity.memberId, commit: index },
    entries: [entry],
  });
  await storage.close();
  options.logger?.warn(
    { lastIndex: index },
    "this member is the only one of its cluster now; the others must not run with the data they have",
  );
}
