import type { Member } from "@dkv/client";

import { escapeCell } from "./table.ts";

/** What to do once a member was added: text for a person, with a command line to copy. */
export function nextSteps(
  { id, address }: { readonly id: string; readonly address: string },
  members: readonly Pick<Member, "id" | "raftAddress">[],
): string {
  const others = members.filter((member) => member.id !== id).map((one) => `${one.id}=${one.raftAddress}`);
  const cluster = [...(others.length === 0 ? ["NAME=HOST:PORT", "..."] : others), `${id}=${address}`];
  const flags = [
    `--name=${id}`,
    "--initial-cluster-state=existing",
    `--initial-cluster=${cluster.join(",")}`,
    `--listen-peer-address=${address}`,
    `--data-dir=${id}`,
  ];
  return (
    `${escapeCell(id)} is a member now. Start it with an empty data directory, and with the flags for certificates\n` +
    `and for clients that the others have:\n\n` +
    `  dkv ${flags.map(shellWord).join(" \\\n    ")}\n\n` +
    `It catches up first; dkvctl member-list shows how far it is.\n`
  );
}

/** The text as one word of a shell. */
function shellWord(text: string): string {
  const visible = escapeCell(text);
  return /^[\w.,:=[\]-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", "'\\''")}'`;
}
