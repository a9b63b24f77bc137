/** The verdict on a history, key by key, so that proxies and clients have their turn in between. */
import {
  checkLinearizable,
  type FinalState,
  lostWrites,
  type RegisterHistory,
  type RegisterOperation,
  registerModel,
  renderOperations,
  renderViolation,
} from "@dkv/checker";
import { breathe } from "../platform/time.ts";

export type Judgement =
  | { readonly kind: "linearizable" }
  /** Why not, for people, with the operations that show it. */
  | { readonly kind: "violated"; readonly report: string }
  /** The search was given up. */
  | { readonly kind: "undecided"; readonly key: string };

/** @param final what each key was seen to hold when all operations had ended; the history has those reads too */
export async function judge(history: RegisterHistory, final: FinalState<string>): Promise<Judgement> {
  const lost = lostWrites(history, final);
  const [first] = lost;
  if (first !== undefined) {
    const found = first.found === undefined ? "nothing" : JSON.stringify(first.found);
    const missing =
      first.lost === undefined
        ? ["nobody has written that"]
        : [
            `${first.key} holds ${found} in the end; an acknowledged write is missing:`,
            ...render(first.lost),
          ];
    return { kind: "violated", report: [...missing, await explain(first.key, history)].join("\n") };
  }
  let undecided: string | undefined;
  for (const [key, part] of byKey(history)) {
    await breathe();
    const verdict = checkLinearizable(part, registerModel);
    if (verdict.kind === "violated") {
      return { kind: "violated", report: renderViolation(verdict.violation, describe) };
    }
    if (verdict.kind === "unknown") undecided = key;
  }
  return undecided === undefined ? { kind: "linearizable" } : { kind: "undecided", key: undecided };
}

function render(operation: RegisterOperation): readonly string[] {
  return renderOperations([operation], describe);
}

/** The search's account of a key that something is missing of. */
async function explain(key: string, history: RegisterHistory): Promise<string> {
  await breathe();
  const verdict = checkLinearizable(byKey(history).get(key) ?? [], registerModel);
  return verdict.kind === "violated" ? renderViolation(verdict.violation, describe) : "";
}

const describe = (operation: RegisterOperation): string => registerModel.describe(operation);

function byKey(history: RegisterHistory): ReadonlyMap<string, RegisterHistory> {
  return Map.groupBy(history, ({ action }) => action.key);
}
