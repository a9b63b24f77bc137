import type { CheckResult, MemberCheck } from "@dkv/client";

import { Exit, exitCodes } from "../exit.ts";
import { checkJson } from "../output/json.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/**
 * Compares what the members have stored, and prints what came of it: by default as a table, as `value` the names of
 * those who differ. @throws Exit unless all voters answered and nobody differs
 */
export async function check(context: CommandContext): Promise<void> {
  const result = await context.client.check();
  await print(result, context);
  const failure = failureOf(result);
  if (failure !== undefined) throw new Exit(exitCodes.failure, failure);
}

async function print(
  result: CheckResult,
  { output = "table", io }: Pick<CommandContext, "output" | "io">,
): Promise<void> {
  switch (output) {
    case "value":
      return io.print(
        namesOf(result, "differs")
          .map((name) => `${name}\n`)
          .join(""),
      );
    case "json":
      return io.print(checkJson(result));
    case "table": {
      const rows = result.members.map((member) =>
        columns.map(([, cell]) => escapeCell(cell(member, result))),
      );
      return io.print(table([columns.map(([title]) => title), ...rows], io));
    }
  }
}

type Cell = (member: MemberCheck, result: CheckResult) => string;

const verdictTexts = { agrees: "agrees", differs: "DIFFERS", noAnswer: "no answer" } as const;

const columns: readonly (readonly [title: string, cell: Cell])[] = [
  ["ID", ({ id }) => id],
  ["Verdict", ({ verdict }) => verdictTexts[verdict]],
  ["Index", ({ hash }, { index }) => (hash === undefined ? "" : `${index}`)],
  ["Revision", ({ revision = "" }) => `${revision}`],
  ["Hash", ({ hash }) => (hash === undefined ? "" : Buffer.from(hash).toString("hex"))],
  ["Reason", ({ reason = "" }) => reason],
];

function failureOf(result: CheckResult): string | undefined {
  const { hasMajority } = result;
  const wrong = namesOf(result, "differs").join(", ");
  if (wrong !== "" && hasMajority) {
    return (
      `what is stored differs from the majority's on ${wrong}, which is put out of service: put a new member in its ` +
      "place with dkvctl member-replace"
    );
  }
  if (wrong !== "") {
    return (
      "the members have stored different things, and no majority the same, so it cannot be said who is wrong: " +
      "bring back the members that gave no answer and check again, or restore a backup"
    );
  }
  const silent = namesOf(result, "noAnswer").join(", ");
  if (!hasMajority)
    return `no majority gave an answer (${silent} did not): start them, or wait longer with --timeout`;
  const unchecked = namesOf({ members: result.members.filter(({ isLearner }) => !isLearner) }, "noAnswer");
  if (unchecked.length === 0) return undefined;
  return (
    `all who answered have stored the same, and ${unchecked.join(", ")} gave no answer: start ` +
    `${unchecked.length === 1 ? "it" : "them"} and check again, or wait longer with --timeout`
  );
}

const namesOf = (
  { members }: Pick<CheckResult, "members">,
  verdict: MemberCheck["verdict"],
): readonly string[] =>
  members.filter((member) => member.verdict === verdict).map(({ id }) => escapeCell(id));
