/** What etcd's flags are to dkv, for people. */
import { type EtcdFlag, etcdFlags } from "./flags.ts";

const usage = `Usage:
  dkv-etcd [flags]     a member of a cluster that clients of etcd can use, by etcd's flags
  dkv-etcd --version
  dkv-etcd --help

Each flag may also stand in the environment: ETCD_DATA_DIR for --data-dir. With --config-file only that file
counts.
What dkv has beyond it goes by variables: DKV_DISK_FREE_RESERVE, for one; see dkv --help.`;

export function etcdHelp(): string {
  const rows = Object.entries<EtcdFlag>(etcdFlags);
  const of = (kind: EtcdFlag["fate"]["kind"]) => rows.filter(([, { fate }]) => fate.kind === kind);
  const heeded = of("heeded").map(
    ([name, { describe, default: fallback }]) => `  --${name} '${fallback}'\n    ${describe}`,
  );
  const names = (kind: "ignored" | "refused") => of(kind).map(([name]) => `  --${name}`);
  return [
    usage,
    ["Flags:", ...heeded].join("\n"),
    ["These make no difference, which is said where they are given:", ...names("ignored")].join("\n"),
    ["These are refused, with a line that says what to do:", ...names("refused")].join("\n"),
  ].join("\n\n");
}
