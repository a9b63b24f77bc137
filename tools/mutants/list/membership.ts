/** Changes of who takes part. Source: Diss. §4. */
import type { Mutant } from "../mutant.ts";

const raft = "packages/raft/src";
const core = "packages/raft/test";
/** That one first. */
const by = (file: string) => [`${core}/${file}.test.ts`, `${core}/*.test.ts`, `${core}/paper/*.test.ts`];
const server = "packages/server/src";
const transport = "packages/server/test/transport";
const at = (file: string) => [`${transport}/${file}.test.ts`, `${transport}/*.test.ts`];

export const membershipMutants: readonly Mutant[] = [
  {
    does: "tells a member that it was removed before that is committed",
    file: `${server}/consensus/membership/acquaintances.ts`,
    guard: "[...members, ...leaving], new Set(removed)",
    instead: "[...members, ...leaving], this.#latest.removed",
    tests: ["packages/server/test/consensus/membership/acquaintances.test.ts"],
  },
  {
    does: "changes the configuration before the first commit of its term",
    file: `${raft}/reconfiguration.ts`,
    guard: `  if (log.committed < role.firstOfTerm) return { kind: "dropped", because: "notCommittedInTerm" };\n`,
    tests: by("paper/membership"),
  },
  {
    does: "begins a change while another is not committed",
    file: `${raft}/reconfiguration.ts`,
    guard: `  if (log.committed < since) return { kind: "dropped", because: "changeInProgress" };\n`,
    tests: by("paper/membership"),
  },
  {
    does: "commits in a joint configuration by either group",
    file: `${raft}/quorum/joint.ts`,
    guard: "Math.min(incoming, leaving)",
    instead: "Math.max(incoming, leaving)",
    tests: by("quorum"),
  },
  {
    does: "elects in a joint configuration by the new group alone",
    file: `${raft}/quorum/joint.ts`,
    guard: `incoming === "lost" || leaving === "lost" ? "lost" : "pending"`,
    instead: "incoming",
    tests: by("quorum"),
  },
  {
    does: "counts learners",
    file: `${raft}/tracker/tracker.ts`,
    guard: "jointReached(this.#configuration, this.#matchOf)",
    instead: "jointReached({ voters: [...membersOf(this.#configuration)], outgoing: [] }, this.#matchOf)",
    tests: by("paper/joint-consensus"),
  },
  {
    does: "exchanges two voters in one step",
    file: `${raft}/configuration/change.ts`,
    guard: "votersThatDiffer(before.voters, after.voters) > 1",
    instead: "votersThatDiffer(before.voters, after.voters) > 2",
    tests: by("configuration"),
  },
  {
    does: "keeps the configuration of an entry that was replaced",
    file: `${raft}/log.ts`,
    guard: "    this.#configurations.append(entries);\n",
    instead: `    if (entries.some(({ kind }) => kind === "configuration")) this.#configurations.append(entries);\n`,
    tests: by("paper/membership"),
  },
  {
    does: "lets a member of another cluster in",
    file: `${server}/transport/greeting.ts`,
    guard: "if (hello.clusterId !== clusterId)",
    instead: "if (hello.clusterId !== clusterId && hello.clusterId === 0n)",
    tests: at("cleartext"),
  },
  {
    does: "answers for a member that it is not",
    file: `${server}/transport/greeting.ts`,
    guard: "if (hello.to !== self.id)",
    instead: "if (hello.to !== self.id && hello.to === 0n)",
    tests: at("cleartext"),
  },
  {
    does: "believes who somebody says that it is, whatever its certificate says",
    file: `${server}/transport/greeting.ts`,
    guard: "  if (!vouchesFor(peer.address)) return refuse(strangersCertificate(peer.address, options));\n",
    tests: at("mutual-tls"),
  },
  {
    does: "lets a member in that was removed",
    file: `${server}/transport/greeting.ts`,
    guard: "if (peer === undefined && removed.has(hello.from))",
    instead: "if (peer === undefined && removed.has(hello.to))",
    tests: at("changing-peers"),
  },
  {
    does: "lets a voter vote that comes with another data directory than it had",
    file: `${server}/transport/greeting.ts`,
    guard: "return said !== 0n && known !== 0n && said !== known;",
    instead: "return said !== 0n && known !== 0n && said === -1n;",
    tests: at("lost-data"),
  },
  {
    does: "follows members of a cluster that was begun another time",
    file: `${server}/transport/greeting.ts`,
    guard: "return theirs !== 0n && ours !== 0n && theirs !== ours;",
    instead: "return theirs !== 0n && ours !== 0n && theirs === -1n;",
    tests: at("lost-data"),
  },
  {
    does: "lets nobody in of whom it does not know, though it follows nobody",
    file: `${server}/transport/greeting.ts`,
    guard: "isVouchedFor ? admit(address) : undefined;",
    instead: `isVouchedFor && address.name === "" ? admit(address) : undefined;`,
    tests: at("guests"),
  },
  {
    does: "removes a member though too few of the others answer",
    file: `${server}/consensus/membership/plan.ts`,
    guard: "riskOf(leaving, table, knowledge) ?? ",
    tests: ["packages/server/test/consensus/membership/plan.test.ts"],
  },
];
