/** The commands that change the membership. They print nothing by default: that they return is the answer. */
import type { ChangeResult } from "@dkv/client";

import { changeJson } from "../output/json.ts";
import { nextSteps } from "../output/next-steps.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

interface Place {
  readonly id: string;
  /** Where its peers reach it. */
  readonly address: string;
}

type Named = Pick<Place, "id">;

/** Adds a member. A person is told how to start it. */
export async function memberJoin(context: CommandContext, { id, address }: Place): Promise<void> {
  await report(context, id, await context.client.memberJoin(id, address));
  await explainNext(context, { id, address });
}

/** Removes a member; one that is not there is no error. */
export async function memberLeave(context: CommandContext, { id }: Named): Promise<void> {
  return report(context, id, await context.client.memberLeave(id));
}

/** Makes a learner a voter, and waits until it has caught up. */
export async function memberPromote(context: CommandContext, { id }: Named): Promise<void> {
  return report(context, id, await context.client.memberPromote(id));
}

/** Puts a new member in the place of an old one. A person is told how to start it. */
export async function memberReplace(
  context: CommandContext,
  { oldId, ...place }: Place & { readonly oldId: string },
): Promise<void> {
  await report(context, place.id, await context.client.memberReplace({ oldId, ...place }));
  await explainNext(context, place);
}

/** Tells the cluster that a member has moved. */
export async function memberUpdate(context: CommandContext, { id, address }: Place): Promise<void> {
  return report(context, id, await context.client.memberUpdate(id, address));
}

/** Hands leadership over. */
export async function moveLeader(context: CommandContext, { id }: Named): Promise<void> {
  return report(context, id, await context.client.moveLeader(id));
}

async function report(
  { output = "value", io }: CommandContext,
  id: string,
  { header }: ChangeResult,
): Promise<void> {
  switch (output) {
    case "value":
      return undefined;
    case "json":
      return io.print(changeJson(id, { header }));
    case "table": {
      const row = [escapeCell(id), escapeCell(header.leader ?? ""), `${header.term}`];
      return io.print(table([["ID", "Leader", "Term"], row], io));
    }
  }
}

/** The change is done whether or not the list of members comes; without it there is less to say. */
async function explainNext({ client, io }: CommandContext, place: Place): Promise<void> {
  if (!io.explainsToTerminal) return;
  const members = await client.members().then(
    (list) => list.members,
    () => [],
  );
  io.explain(nextSteps(place, members));
}
