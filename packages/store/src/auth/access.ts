/** What a caller has to be permitted, for a command to be done. */
import type { LoggedOperation, SetCommand, TxnCommand, TxnOperation } from "../operation.ts";
import { intervalOf } from "../read/interval.ts";
import { type LeaseId, noLease } from "../version.ts";
import type { Need } from "./permissions.ts";

export interface Access {
  /** All of them; "root": only who may do everything may do it. */
  readonly needs: readonly Need[] | "root";
  /**
   * Leases all of whose keys have to be writable: to end one deletes them, and who sets a key with one has to
   * be able to end it.
   */
  readonly leases: readonly LeaseId[];
}

export function accessOf(operation: LoggedOperation): Access {
  switch (operation.case) {
    case "set":
    case "setIf":
    case "delete":
    case "txn": {
      const demands = new Demands();
      demands.add(operation);
      return demands;
    }
    case "grantLease":
      return { needs: [], leases: [] };
    case "revokeLease":
      return { needs: [], leases: [operation.value.id] };
    default:
      return { needs: "root", leases: [] };
  }
}

/** Part of a range, a delete, a comparison. */
interface Named {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

class Demands implements Access {
  readonly needs: Need[] = [];
  readonly leases: LeaseId[] = [];

  add(operation: Extract<LoggedOperation, { case: "setIf" }> | TxnOperation["operation"]): void {
    switch (operation.case) {
      case "range":
        this.#read(operation.value);
        return;
      case "set":
        this.#set(operation.value);
        return;
      case "setIf":
        // It says whether the key is as the caller thinks.
        this.#set({ ...operation.value, wantPrevious: true, keepLease: false });
        return;
      case "delete":
        this.#write(operation.value);
        if (operation.value.wantPrevious) this.#read(operation.value);
        return;
      case "txn":
        this.#txn(operation.value);
        return;
      case undefined:
    }
  }

  /** Whichever list is done in the end. */
  #txn({ compares, success, failure }: TxnCommand): void {
    for (const compare of compares) this.#read(compare);
    for (const { operation } of success) this.add(operation);
    for (const { operation } of failure) this.add(operation);
  }

  #set({ key, lease, grantTtl, wantPrevious, keepLease }: Omit<SetCommand, "$typeName" | "keepValue">): void {
    const named = { key, rangeEnd: oneKey };
    this.#write(named);
    if (wantPrevious) this.#read(named);
    // One that is granted with it has no other keys.
    if (lease !== noLease && grantTtl === 0n && !keepLease) this.leases.push(lease);
  }

  #read({ key, rangeEnd }: Named): void {
    this.needs.push({ kind: "read", interval: intervalOf(key, rangeEnd) });
  }

  #write({ key, rangeEnd }: Named): void {
    this.needs.push({ kind: "write", interval: intervalOf(key, rangeEnd) });
  }
}

const oneKey = new Uint8Array();
