/** What one command is about to do: nothing of it is done if it is refused on the way. */
import type { OperationResult } from "@dkv/store";
import type { SetCommand, SetIfCommand } from "@dkv/protocol/dkv/peer/v1/command";
import { keyText } from "../disk/platter.ts";
import { toKeyValue } from "./select.ts";
import { Refused, type TrueLease, type TrueState, type TrueVersion } from "./true-state.ts";

export class Draft {
  readonly store: TrueState;
  readonly leases = new Map<bigint, TrueLease | undefined>();
  readonly #index: number;
  readonly changes: { readonly key: string; readonly version: TrueVersion | undefined }[] = [];

  /** @param index of the entry */
  constructor(store: TrueState, index: number) {
    this.store = store;
    this.#index = index;
  }

  /** As the operations so far have left them. */
  get keys(): ReadonlyMap<string, TrueVersion> {
    const keys = new Map(this.store.current);
    for (const { key, version } of this.changes) {
      if (version === undefined) keys.delete(key);
      else keys.set(key, version);
    }
    return keys;
  }

  /** The one that its changes make, if there are any by now; else the current one. */
  get revision(): number {
    return this.store.revision + (this.changes.length > 0 ? 1 : 0);
  }

  set(command: Omit<SetCommand, "$typeName">): Extract<OperationResult, { kind: "set" }> {
    const key = keyText(command.key);
    const made = this.changes.findLast((change) => change.key === key);
    const before = made === undefined ? this.store.current.get(key) : made.version;
    if ((command.keepValue || command.keepLease) && before === undefined) throw new Refused("keyNotFound");
    const lease = command.keepLease ? (before?.lease ?? 0n) : command.lease;
    if (command.grantTtl > 0n) this.grant(lease, command.grantTtl);
    if (lease !== 0n && this.#lease(lease) === undefined) throw new Refused("leaseNotFound");
    const revision = this.store.revision + 1;
    this.#change(key, {
      value: command.keepValue ? (before?.value ?? "") : keyText(command.value),
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      lease,
    });
    const previous = command.wantPrevious && before ? toKeyValue([key, before]) : undefined;
    return { kind: "set", revision, previous };
  }

  setIf({ modRevision, ...command }: SetIfCommand): Extract<OperationResult, { kind: "set" }> {
    const before = this.keys.get(keyText(command.key));
    if (modRevision !== BigInt(before?.modRevision ?? 0))
      throw new Refused(before === undefined ? "keyMissing" : "keyChanged");
    return this.set({ ...command, wantPrevious: false, keepValue: false, keepLease: false });
  }

  delete(key: string): void {
    this.#change(key, undefined);
  }

  grant(id: bigint, grantedTtl: bigint): void {
    if (id === 0n) throw new Refused("noLeaseId");
    if (this.#lease(id) !== undefined) throw new Refused("leaseExists");
    this.leases.set(id, { grantedTtl, remainingTtl: 0n, grantedIndex: this.#index });
  }

  /** Its keys go in the order of their bytes. */
  end(id: bigint): void {
    if (this.#lease(id) === undefined) throw new Refused("leaseNotFound");
    const attached = [...this.keys].filter(([, { lease }]) => lease === id).map(([key]) => key);
    for (const key of attached.sort((a, b) => (a < b ? -1 : 1))) this.delete(key);
    this.leases.set(id, undefined);
  }

  #lease(id: bigint): TrueLease | undefined {
    return this.leases.has(id) ? this.leases.get(id) : this.store.leases.get(id);
  }

  #change(key: string, version: TrueVersion | undefined): void {
    this.changes.push({ key, version });
  }
}
