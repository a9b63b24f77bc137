/**
 * What a wish for a change means for the table as it stands: nothing, a step to take, or a refusal. Pure, and
 * about the state and not about the wish's history, so that a wish may come twice.
 *
 *   join     a learner is added; it becomes a voter once it has caught up
 *   replace  a learner is added that knows whose place it takes; once it has caught up, one joint step makes
 *            it a voter and removes the other
 */
import { majoritySize, type MemberChange, type NodeId } from "@dkv/raft";
import { maxMemberRows, type MemberRow } from "../../codec/membership-codec.ts";
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import type { MembershipChange } from "../member.ts";
import type { MembershipTable, TableMember } from "./table.ts";

/** What the leader knows of the others at the moment. */
export interface Knowledge {
  /** Whether it was heard lately; true for the leader itself. */
  readonly isAnswering: (id: NodeId) => boolean;
  /** Whether its log is about as long as the leader's. */
  readonly isCaughtUp: (id: NodeId) => boolean;
}

export type Plan =
  | { readonly kind: "done" }
  | { readonly kind: "step"; readonly changes: readonly MemberChange[]; readonly rows: readonly MemberRow[] }
  | { readonly kind: "refused"; readonly error: DkvError };

/** Somebody's wish. */
export interface Wish {
  readonly change: MembershipChange;
  /** Of the member that it may add: drawn at random once for the wish, however often it is tried. */
  readonly newId: NodeId;
}

export function plan({ change, newId }: Wish, table: MembershipTable, knowledge: Knowledge): Plan {
  if (table.rows.some(({ id }) => id === newId)) return done;
  switch (change.kind) {
    case "join":
      return planJoin({ ...change, newId }, table);
    case "leave":
      return planLeave(change.name, table, knowledge);
    case "promote":
      return planPromotion(change.name, table, knowledge);
    case "replace":
      return planReplacement({ ...change, newId }, table);
    case "update":
      return planUpdate(change, table);
  }
}

type Of<Kind extends MembershipChange["kind"]> = Extract<MembershipChange, { kind: Kind }>;
type Adding<Kind extends MembershipChange["kind"]> = Of<Kind> & Pick<Wish, "newId">;

function planJoin(wish: Adding<"join">, table: MembershipTable): Plan {
  const { name, peerAddress, newId: id, staysLearner = false } = wish;
  const known = table.named(name);
  if (known?.peerAddress === peerAddress) return done;
  if (known !== undefined) {
    return refused(
      "memberExists",
      `${name} is a member at ${known.peerAddress}: choose another name, or tell its new address with member-update`,
    );
  }
  const row = { id, name, peerAddress, incarnation: 0n, ...(staysLearner && { staysLearner }) };
  return taken(peerAddress, table) ?? planLearner(row, table);
}

function planLearner(row: MemberRow, table: MembershipTable): Plan {
  if (table.rows.length >= maxMemberRows)
    return refused("overloaded", `the cluster has had ${String(maxMemberRows)} members, which is the most`);
  return { kind: "step", changes: [{ kind: "addLearner", id: row.id }], rows: [...table.rows, row] };
}

function planLeave(name: string, table: MembershipTable, knowledge: Knowledge): Plan {
  // Of two with one name the younger is about to take the other's place: its leaving is what undoes that.
  const leaving = table.named(name);
  if (leaving === undefined) return table.wasRemoved(name) ? done : unknown(name, table);
  const changes = [{ kind: "remove", id: leaving.id }] as const;
  return riskOf(leaving, table, knowledge) ?? { kind: "step", changes, rows: table.rows };
}

function planPromotion(name: string, table: MembershipTable, knowledge: Knowledge): Plan {
  const member = table.named(name);
  if (member === undefined) return unknown(name, table);
  if (member.role === "voter") return done;
  if (!knowledge.isCaughtUp(member.id)) {
    return refused(
      "notCaughtUp",
      `${name} has not caught up with the log yet, or does not answer: start it, and wait until member-list shows ` +
        "a small lag",
    );
  }
  const old = member.replaces === undefined ? undefined : table.byId(member.replaces);
  const changes: MemberChange[] = [{ kind: "addVoter", id: member.id }];
  if (old !== undefined) changes.push({ kind: "remove", id: old.id });
  const rows = table.rows.map((row) =>
    row.id === member.id ? { ...row, replaces: undefined, staysLearner: undefined } : row,
  );
  return { kind: "step", changes, rows };
}

function planReplacement(change: Adding<"replace">, table: MembershipTable): Plan {
  const { old: oldName, name, peerAddress, newId: id } = change;
  const coming = table.named(name);
  const isUnderWay = coming?.peerAddress === peerAddress && coming.replaces !== undefined;
  if (isUnderWay && table.nameOf(coming.replaces) === oldName) return done;
  const old = table.named(oldName);
  if (old === undefined) {
    const isOver = table.wasRemoved(oldName) && coming?.peerAddress === peerAddress;
    return isOver ? done : unknown(oldName, table);
  }
  const other = table.members.find(({ replaces }) => replaces === old.id);
  if (other !== undefined) return refusedFor(other, oldName);
  // In its place nobody would take that of the one before it, which would stay a voter for good.
  const before = old.replaces === undefined ? undefined : table.byId(old.replaces);
  if (before !== undefined) return refusedFor(old, before.name);
  if (coming !== undefined && coming.id !== old.id)
    return refused("memberExists", `${name} is a member already: choose another name for the new one`);
  const occupied = old.peerAddress === peerAddress ? undefined : taken(peerAddress, table);
  return occupied ?? planLearner({ id, name, peerAddress, replaces: old.id, incarnation: 0n }, table);
}

function refusedFor({ name, peerAddress }: TableMember, oldName: string): Plan {
  return refused(
    "memberExists",
    `${name} at ${peerAddress} is to take the place of ${oldName} already: start it, or undo that with ` +
      `member-leave ${name}`,
  );
}

function planUpdate({ name, peerAddress }: Of<"update">, table: MembershipTable): Plan {
  const member = table.named(name);
  if (member === undefined) return unknown(name, table);
  if (member.peerAddress === peerAddress) return done;
  const rows = table.rows.map((row) => (row.id === member.id ? { ...row, peerAddress } : row));
  return taken(peerAddress, table) ?? { kind: "step", changes: [], rows };
}

/**
 * Why it cannot leave: of the voters that stay, too few answer to agree on anything, and nobody could take
 * it back then.
 */
function riskOf(
  { id, name, role }: TableMember,
  table: MembershipTable,
  { isAnswering }: Knowledge,
): Plan | undefined {
  if (role === "learner") return undefined;
  const staying = table.voters.filter((voter) => voter.id !== id);
  if (staying.length === 0) {
    return refused(
      "quorumAtRisk",
      `${name} is the last voter: add and promote another member first, or stop it and delete its data`,
    );
  }
  const silent = staying.filter((voter) => !isAnswering(voter.id)).map((voter) => voter.name);
  const needed = majoritySize(staying.map((voter) => voter.id));
  const answering = staying.length - silent.length;
  if (answering >= needed) return undefined;
  return refused(
    "quorumAtRisk",
    `without ${name} ${String(staying.length)} voters would remain, of which ${String(needed)} must answer, and ` +
      `${silent.join(", ")} ${silent.length === 1 ? "does" : "do"} not: start them or remove them first`,
  );
}

const done: Plan = { kind: "done" };

function refused(code: ErrorCode, message: string): Plan {
  return { kind: "refused", error: new DkvError(code, message) };
}

function unknown(name: string, table: MembershipTable): Plan {
  const names = table.members.map((member) => member.name).join(", ");
  return refused("unknownMember", `no member is called ${name}; there are ${names}`);
}

function taken(peerAddress: string, table: MembershipTable): Plan | undefined {
  const owner = table.members.find((member) => member.peerAddress === peerAddress);
  if (owner === undefined) return undefined;
  return refused("memberExists", `${peerAddress} is the address of ${owner.name}: each member needs its own`);
}
