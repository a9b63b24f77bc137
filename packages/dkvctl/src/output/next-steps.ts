import type { Member } from "@dkv/client";

import { escapeCell } from "./table.ts";

type Placed = Pick<Member, "id" | "raftAddress">;

/** The command line that starts a member that was added. One whose place it takes cannot be asked who it is. */
export function startCommand(
  { id, raftAddress, replaces }: Placed & Pick<Partial<Member>, "replaces">,
  members: readonly (Placed & Pick<Member, "memberId">)[],
): string {
  const others = members
    .filter((one) => one.id !== id && one.raftAddress !== raftAddress && one.memberId !== replaces)
    .map((one) => `${one.id}=${one.raftAddress}`);
  const cluster = [...(others.length === 0 ? ["NAME=HOST:PORT", "..."] : others), `${id}=${raftAddress}`];
  const flags = [
    `--name=${id}`,
    "--initial-cluster-state=existing",
    `--initial-cluster=${cluster.join(",")}`,
    `--listen-peer-address=${raftAddress}`,
    `--data-dir=${id}`,
  ];
  return ["dkv", ...flags.map(shellWord)].join(" ");
}

/** What a person should know besides, who starts it. */
export const startHint =
  "Start it with an empty data directory, and with the flags for certificates and clients that the others have.\n" +
  "It catches up first; dkvctl member-list shows how far it is.\n";

/** The text as one word of a shell. */
function shellWord(text: string): string {
  const visible = escapeCell(text);
  return /^[\w.,:=[\]-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", "'\\''")}'`;
}
