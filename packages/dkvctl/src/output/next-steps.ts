import type { Member } from "@dkv/client";

import { escapeCell } from "./table.ts";

type Placed = Pick<Member, "id" | "raftAddress">;

/** What the flags for certificates are followed by, to be replaced by whoever starts the member. */
const tlsFlags = ["cert", "key", "peer-cert", "peer-key", "peer-trusted-ca"].map(
  (file) => `--${file}-file=FILE`,
);

/**
 * The command line that starts a member that was added. One whose place it takes cannot be asked who it is.
 *
 * @param usesTls whether this cluster does, as far as it is known
 */
export function startCommand(
  { id, raftAddress, replaces }: Placed & Pick<Partial<Member>, "replaces">,
  members: readonly (Placed & Pick<Member, "memberId">)[],
  usesTls: boolean,
): string {
  const others = members
    .filter((one) => one.id !== id && one.raftAddress !== raftAddress && one.memberId !== replaces)
    .map((one) => `${one.id}=${one.raftAddress}`);
  const cluster = [...(others.length === 0 ? ["NAME=HOST:PORT", "..."] : others), `${id}=${raftAddress}`];
  const flags = [
    `--name=${id}`,
    `--data-dir=${id}`,
    "--initial-cluster-state=existing",
    `--initial-cluster=${cluster.join(",")}`,
    `--listen-peer-address=${raftAddress}`,
    "--listen-client-address=HOST:PORT",
    ...(usesTls ? tlsFlags : []),
  ];
  return ["npx dkv", ...flags.map(shellWord)].join(" ");
}

/** What a person should know besides, who starts it. */
export function startHint(usesTls: boolean): string {
  const certificates = usesTls
    ? " and its certificates for FILE"
    : ", and add the flags for certificates if the others have them";
  return (
    `Write where its clients reach it for HOST:PORT${certificates}.\n` +
    "It catches up first; dkvctl member-list shows how far it is.\n"
  );
}

/** The text as one word of a shell. */
function shellWord(text: string): string {
  const visible = escapeCell(text);
  return /^[\w.,:=[\]-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", "'\\''")}'`;
}
