/** What queries do with keys: their parameters make commands of the store. */
import assert from "node:assert/strict";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { plainDelete } from "../dkv-v1/commands.ts";
import { requestTooLarge } from "../request-limit.ts";
import { maxTtlSeconds, setOperation } from "../stream/set-command.ts";
import { type Parameters, textOf } from "./parameters.ts";

/** Every method rejects with a DkvError. */
export class QueriedKeys {
  readonly #member: Member;
  readonly #maxRequestBytes: number;

  /** @param maxRequestBytes most bytes of key and value together */
  constructor(member: Member, maxRequestBytes: number) {
    this.#member = member;
    this.#maxRequestBytes = maxRequestBytes;
  }

  async get(parameters: Parameters): Promise<Uint8Array> {
    const key = this.#key(parameters, 0);
    if (consistencyOf(parameters) === "linearizable") await this.#member.readBarrier();
    const found = this.#member.get(key);
    if (found === undefined) throw new DkvError("keyNotFound", "key not found");
    return found.value;
  }

  async set(parameters: Parameters): Promise<void> {
    const value = parameters.get("value") ?? nothing;
    const key = this.#key(parameters, value.length);
    if (value.length === 0) throw invalid("value is empty: a query cannot tell that from no value at all");
    // A write is always linearizable; a word that means nothing is refused here as well.
    consistencyOf(parameters);
    const ttlSeconds = ttlOf(parameters);
    await this.#member.propose(setOperation({ key, value, ttlSeconds }, this.#member.leases));
  }

  async delete(parameters: Parameters): Promise<void> {
    const key = this.#key(parameters, 0);
    const result = await this.#member.propose({ case: "delete", value: plainDelete(key) });
    assert(result.kind === "delete", "a delete answers a delete");
    if (result.deleted === 0) throw new DkvError("keyNotFound", "key not found");
  }

  #key(parameters: Parameters, valueBytes: number): Buffer {
    const key = parameters.get("key") ?? nothing;
    if (key.length === 0) throw new DkvError("emptyKey", "key is empty: write ?key=NAME");
    if (key.length + valueBytes > this.#maxRequestBytes) throw requestTooLarge(this.#maxRequestBytes);
    return key;
  }
}

const nothing = Buffer.alloc(0);

/** Whole seconds; 0 for a key that stays. */
function ttlOf(parameters: Parameters): number {
  const text = textOf(parameters, "ttl") ?? "0";
  if (!/^\d+$/.test(text) || Number(text) > maxTtlSeconds)
    throw invalid(`ttl is "${text}": write whole seconds up to ${String(maxTtlSeconds)}, 0 for none`);
  return Number(text);
}

const consistencies = ["linearizable", "serializable"] as const;

function consistencyOf(parameters: Parameters): (typeof consistencies)[number] {
  const text = textOf(parameters, "consistency") ?? "linearizable";
  const found = consistencies.find((one) => one === text);
  if (found === undefined) throw invalid(`consistency is "${text}": write ${consistencies.join(" or ")}`);
  return found;
}

function invalid(message: string): DkvError {
  return new DkvError("invalidRequest", message);
}
