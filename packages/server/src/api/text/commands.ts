/**
 * What the commands of the text protocol do to the store.
 *
 * The version of a key is the revision that created it, and one more for each change since. So cas makes it
 * one larger, every member says the same, and no key has a version twice, deleted and made again or not: each
 * change of a key is a revision at least.
 */
import assert from "node:assert/strict";
import { type KeyValue, noLease, type SetResult } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { plainDelete } from "../dkv-v1/commands.ts";
import type { StreamCommand } from "../stream/protocol.ts";
import { setIfOperation } from "../stream/set-command.ts";
import { okAnswer, textAnswers, valueAnswer } from "./answers.ts";
import type { TextRequest } from "./request-reader.ts";

type Requested<Kind> = Extract<TextRequest, { readonly kind: Kind }>;

/** What each request comes to on this member. */
export class TextCommands {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  of(request: TextRequest): StreamCommand {
    switch (request.kind) {
      case "mistaken":
        return { kind: "answered", answer: textAnswers.mistaken };
      case "get":
        return this.#read(request.key, (found) => valueAnswer("", found.value));
      case "getm":
        return this.#read(request.key, (found) =>
          valueAnswer(`${String(versionOf(found))} ${this.#secondsOf(found)} `, found.value),
        );
      case "set":
        return write(request, () => this.#set(request));
      case "cas":
        return write(request, () => this.#cas(request));
      case "delete":
        return write(request, () => this.#delete(request.key));
    }
  }

  #read(key: Buffer, answer: (found: KeyValue) => readonly Buffer[]): StreamCommand {
    return {
      kind: "read",
      key,
      answer: (found) => (found === undefined ? [textAnswers.notFound] : answer(found)),
      failed: textAnswers.internal,
    };
  }

  /** Those that were given for the key, or for the lease that it shares with others. */
  #secondsOf({ lease }: KeyValue): string {
    return lease === noLease ? "0" : String(this.#member.leases.grantedTtl(lease) ?? 0n);
  }

  async #set(request: Requested<"set">): Promise<Buffer> {
    const done = await this.#setIf(request, 0);
    return done.kind === "set" ? okAnswer(done.revision) : textAnswers.version;
  }

  async #cas(request: Requested<"cas">): Promise<Buffer> {
    const { key, version } = request;
    const isMeant = (one: KeyValue | undefined): boolean => one !== undefined && versionOf(one) === version;
    let found = this.#member.get(key);
    if (!isMeant(found)) {
      // It may be so by now, and not here yet.
      await this.#member.readBarrier();
      found = this.#member.get(key);
    }
    if (found === undefined) return textAnswers.notFound;
    if (!isMeant(found)) return textAnswers.version;
    const done = await this.#setIf(request, found.modRevision);
    if (done.kind === "set") return okAnswer(version + 1);
    // A version that was once is never again.
    return done.kind === "keyNotFound" ? textAnswers.notFound : textAnswers.version;
  }

  /** @param modRevision what the key has to have; 0: it has to be missing */
  async #setIf(request: Requested<"set" | "cas">, modRevision: number): Promise<SetOutcome> {
    try {
      const operation = setIfOperation(request, modRevision, this.#member.leases);
      const result = await this.#member.propose(operation);
      assert(result.kind === "set", "a set answers a set");
      return result;
    } catch (error) {
      const code = error instanceof DkvError ? error.code : undefined;
      if (code === "keyNotFound" || code === "preconditionFailed") return { kind: code };
      throw error;
    }
  }

  async #delete(key: Buffer): Promise<Buffer> {
    const result = await this.#member.propose({ case: "delete", value: plainDelete(key) });
    assert(result.kind === "delete", "a delete answers a delete");
    return result.deleted > 0 ? textAnswers.deleted : textAnswers.notFound;
  }
}

function write({ key }: { readonly key: Buffer }, run: () => Promise<Buffer>): StreamCommand {
  return { kind: "write", key, run, failed: textAnswers.internal };
}

const versionOf = ({ createRevision, version }: KeyValue): number => createRevision + version - 1;

/** What became of a set with a condition. */
type SetOutcome =
  | Pick<SetResult, "kind" | "revision">
  | { readonly kind: "keyNotFound" | "preconditionFailed" };
