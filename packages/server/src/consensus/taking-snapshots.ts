import type { Store } from "@dkv/store";
import { DkvError } from "../platform/errors.ts";
import type { StateSnapshot, Storage } from "../storage/storage.ts";
import type { Driver } from "./driver.ts";
import { stopping } from "./refusals.ts";

export interface TakingDeps {
  readonly storage: Pick<Storage, "takeSnapshot">;
  readonly store: Pick<Store, "appliedIndex">;
  readonly driver: Pick<Driver, "saveApplied">;
  /** Whether the member stops. */
  readonly ending: () => boolean;
}

/** The state with everything in it that is applied by now. To be closed. Rejects with a DkvError. */
export async function takeSnapshot({ storage, store, driver, ending }: TakingDeps): Promise<StateSnapshot> {
  const { appliedIndex } = store;
  await driver.saveApplied();
  if (ending()) throw stopping();
  const snapshot = storage.takeSnapshot();
  if (snapshot.header.last.index >= appliedIndex) return snapshot;
  await snapshot.close();
  throw new DkvError(
    "overloaded",
    "this member is about to take over the state of another one: nothing was copied, try again or use another one",
  );
}
