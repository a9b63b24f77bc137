/** The commands that change the membership. By default they say in one line what is so now. */
import type { ChangeResult, DkvClient, Member } from "@dkv/client";

import { changeJson } from "../output/json.ts";
import { startCommand, startHint } from "../output/next-steps.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

interface Place {
  readonly id: string;
  /** Where its peers reach it. */
  readonly address: string;
}

type Named = Pick<Place, "id">;

/** Adds a member, and says how to start it. */
export async function memberJoin(context: CommandContext, { id, address }: Place): Promise<void> {
  const result = await context.client.memberJoin(id, address);
  if (context.output !== undefined) return report(context, { id, result });
  const members = await listed(context.client);
  const found = members.findLast((member) => member.id === id);
  return tellNewcomer(context, { members, ...(found ?? { id, raftAddress: address }) });
}

/** Removes a member; that it has left before is no error, that there never was one is. */
export async function memberLeave(context: CommandContext, { id }: Named): Promise<void> {
  const result = await context.client.memberLeave(id);
  return report(context, { id, result, isSo: `${escapeCell(id)} left` });
}

/** Makes a learner a voter, and waits until it has caught up. */
export async function memberPromote(context: CommandContext, { id }: Named): Promise<void> {
  const result = await context.client.memberPromote(id);
  return report(context, { id, result, isSo: `${escapeCell(id)} is a voter` });
}

/** Puts a new member in the place of an old one, and says how to start it. */
export async function memberReplace(
  context: CommandContext,
  { oldId, id, address }: Place & { readonly oldId: string },
): Promise<void> {
  const result = await context.client.memberReplace({ oldId, id, address });
  if (context.output !== undefined) return report(context, { id, result });
  const members = await listed(context.client);
  // Two may have one name for a while. Whoever was asked may not have heard of the second yet.
  const found = members.findLast(
    (member) => member.id === id && (oldId !== id || member.replaces !== undefined),
  );
  return tellNewcomer(context, { members, oldId, ...(found ?? { id, raftAddress: address }) });
}

/** Tells the cluster that a member has moved. */
export async function memberUpdate(context: CommandContext, { id, address }: Place): Promise<void> {
  const result = await context.client.memberUpdate(id, address);
  const isSo = `${escapeCell(id)} is looked for at ${escapeCell(address)}; restart it there`;
  return report(context, { id, result, isSo });
}

/** Hands leadership over. */
export async function moveLeader(context: CommandContext, { id }: Named): Promise<void> {
  const result = await context.client.moveLeader(id);
  return report(context, { id, result, isSo: `${escapeCell(id)} leads` });
}

interface Done extends Named {
  readonly result: ChangeResult;
  /** What the change has come to, for the default output. */
  readonly isSo?: string;
}

async function report(
  { output, io }: CommandContext,
  { id, result: { header }, isSo = "" }: Done,
): Promise<void> {
  switch (output) {
    case undefined:
      return io.print(`${isSo}\n`);
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
function listed(client: DkvClient): Promise<readonly Member[]> {
  return client.members().then(
    ({ members }) => members,
    () => [],
  );
}

/** What is known of a member that was added: all of it, unless it is not in the list. */
type Newcomer = Partial<Member> &
  Pick<Member, "id" | "raftAddress"> & {
    readonly members: readonly Member[];
    /** Whose place it takes. */
    readonly oldId?: string;
  };

async function tellNewcomer({ io, usesTls }: CommandContext, newcomer: Newcomer): Promise<void> {
  const { id, raftAddress, oldId, isLearner, isReachable = false, members } = newcomer;
  const isComing = isLearner !== false;
  const kind = isLearner === undefined ? "member" : isLearner ? "learner" : "voter";
  const isSo = `${escapeCell(id)} is a ${kind} at ${escapeCell(raftAddress)}`;
  const place =
    isComing && oldId !== undefined
      ? ` and takes the place of ${escapeCell(oldId)} once it has caught up`
      : "";
  if (!isComing || isReachable) return io.print(`${isSo}${place}\n`);
  const command = startCommand(newcomer, members, usesTls);
  await io.print(`${isSo}${place}; start it with an EMPTY data directory: ${command}\n`);
  if (io.explainsToTerminal) io.explain(startHint(usesTls));
}
