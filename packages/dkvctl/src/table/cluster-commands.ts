/** The commands that look after a cluster and its members. */
import type { CommandEntry } from "./entry.ts";

const address = { name: "ADDRESS", describe: "where its peers reach it, as host:port" };

export const clusterCommands = [
  {
    name: "member-list",
    describe: "List the members of the cluster",
    operands: [],
    switches: {},
    hintedAt: ["members", "member", "servers", "nodes"],
    examples: [
      ["dkvctl member-list", "as a table"],
      ["dkvctl member-list -o json", "for programs"],
    ],
  },
  {
    name: "member-join",
    describe: "Add a member to the cluster; start it afterwards",
    operands: [{ name: "ID", describe: "name of the new member" }, address],
    switches: {},
    hintedAt: ["join", "add", "member-add"],
    examples: [["dkvctl member-join dkv-3 localhost:2383", "add dkv-3, whose peers reach it at port 2383"]],
  },
  {
    name: "member-leave",
    describe: "Remove a member for good; no error if it has left",
    operands: [{ name: "ID", describe: "name of the member" }],
    switches: {},
    hintedAt: ["leave", "member-remove", "member-delete"],
    examples: [["dkvctl member-leave dkv-3", "remove it; its process stops by itself"]],
  },
  {
    name: "member-promote",
    describe: "Make a learner a voter, once it has caught up",
    operands: [{ name: "ID", describe: "name of the learner" }],
    switches: {},
    hintedAt: ["promote"],
    examples: [["dkvctl member-promote dkv-3 --timeout=1m", "wait for it for a minute"]],
  },
  {
    name: "member-replace",
    describe: "Put a new member in place of a lost one; start it afterwards",
    operands: [
      { name: "OLD", describe: "name of the member that leaves" },
      { name: "NEW", describe: "name of the member that comes" },
      address,
    ],
    switches: {},
    hintedAt: ["replace"],
    examples: [["dkvctl member-replace dkv-1 dkv-4 localhost:2384", "dkv-4 takes the place of dkv-1"]],
  },
  {
    name: "member-update",
    describe: "Change the address of a member that has moved",
    operands: [{ name: "ID", describe: "name of the member" }, address],
    switches: {},
    hintedAt: ["member-move"],
    examples: [["dkvctl member-update dkv-1 localhost:2390", "its peers reach it at port 2390 from now on"]],
  },
  {
    name: "move-leader",
    describe: "Hand leadership to a voter",
    operands: [{ name: "ID", describe: "name of the voter" }],
    switches: {},
    hintedAt: ["transfer-leader", "leader-transfer", "leader-move", "step-down"],
    examples: [["dkvctl move-leader dkv-1", "before the leader's machine is stopped"]],
  },
  {
    name: "check",
    describe: "Compare what the members have stored; fails if they differ, or a voter gives no answer",
    operands: [],
    switches: {},
    hintedAt: ["verify", "compare"],
    examples: [
      ["dkvctl check", "a member that differs is put out of service: replace it"],
      ["dkvctl check --timeout=10m", "wait for members that have much to read"],
      ["dkvctl check -o json", "for programs"],
    ],
  },
  {
    name: "compact",
    describe: "Give up the history before a revision, to free its space",
    operands: [{ name: "REVISION", describe: "the oldest one that can be read and watched from then on" }],
    switches: { wait: "until what was given up is removed" },
    hintedAt: ["compaction", "defrag"],
    examples: [
      ["dkvctl compact 1000", "reads and watches of earlier revisions end"],
      ["dkvctl compact 1000 --wait --timeout=10m", "return when the space is free"],
    ],
  },
  {
    name: "status",
    describe: "Show how each member is: leader, revision, bytes on disk, alarms",
    operands: [],
    switches: {},
    hintedAt: ["health", "info", "endpoint"],
    examples: [
      ["dkvctl status", "as a table; fails if a member gives no answer"],
      ["dkvctl status -o json", "for programs"],
    ],
  },
  {
    name: "snapshot",
    describe: "Save a backup of the cluster to a file, or look at one",
    operands: [],
    switches: {},
    hintedAt: ["backup", "save"],
    examples: [["dkvctl snapshot save backup.dkv", "of everything acknowledged so far"]],
    subcommands: [
      {
        name: "save",
        describe: "Save a backup of the cluster to a file",
        operands: [{ name: "FILE", describe: "the file; dkv restore makes a new cluster of it" }],
        switches: {
          force: "replace the file if it is there",
          serializable: "save what the member asked has, even if it is behind; needs no quorum",
        },
        hintedAt: ["create"],
        examples: [["dkvctl snapshot save backup.dkv", "of everything acknowledged so far"]],
      },
      {
        name: "status",
        describe: "Check a file, and say what is in it; needs no cluster",
        operands: [{ name: "FILE", describe: "the file" }],
        switches: {},
        hintedAt: ["check", "show"],
        examples: [["dkvctl snapshot status backup.dkv", "is it whole, and what is in it"]],
      },
    ],
  },
  {
    name: "completion",
    describe: "Print a script that completes dkvctl in a shell",
    operands: [
      {
        name: "SHELL",
        describe: "which shell; that of $SHELL unless given",
        isOptional: true,
        choices: ["bash", "zsh"],
      },
    ],
    switches: {},
    hintedAt: ["complete"],
    examples: [
      ['eval "$(dkvctl completion bash)"', "in ~/.bashrc"],
      ['eval "$(dkvctl completion zsh)"', "in ~/.zshrc"],
    ],
  },
] as const satisfies readonly CommandEntry[];
