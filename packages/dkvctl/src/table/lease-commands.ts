/** The commands that make and keep leases, and what is built of them. */
import type { CommandEntry } from "./entry.ts";

const lease = { name: "LEASE", describe: "its ID, as lease grant prints it" };
const ttl = { value: "DURATION", describe: "how long it outlives a holder that is gone (10s unless given)" };
const wait = {
  value: "DURATION",
  describe: "give up after so long, with exit status 5; 0s: try once (for ever unless given)",
};
const command = {
  name: "COMMAND",
  describe:
    "run once it is held, with $DKV_FENCING_TOKEN; it ends with the command, and with Ctrl-C without one",
  isRest: true,
};

export const leaseCommands = [
  {
    name: "lease",
    describe: "Make, keep alive, end and show leases",
    operands: [],
    switches: {},
    hintedAt: ["leases", "ttl"],
    examples: [["dkvctl lease grant 60s", "keys set with it are deleted when nobody keeps it alive"]],
    subcommands: [
      {
        name: "grant",
        describe: "Make a lease, and print its ID",
        operands: [{ name: "TTL", describe: "how long it lives without being kept alive: 30s, 1h" }],
        switches: {},
        flags: { id: { value: "LEASE", describe: "this ID, of up to 16 hexadecimal digits" } },
        hintedAt: ["create", "new"],
        examples: [
          ["dkvctl lease grant 60s", "print the ID of a new lease"],
          ['dkvctl set here yes --lease="$(dkvctl lease grant 60s)"', "a key that goes with it"],
        ],
      },
      {
        name: "keep-alive",
        describe: "Keep a lease alive until Ctrl-C",
        operands: [lease],
        switches: { once: "give it all of its time again, once" },
        hintedAt: ["renew", "keepalive"],
        examples: [["dkvctl lease keep-alive 694d81417acd4a63", "fails when the lease is gone"]],
      },
      {
        name: "revoke",
        describe: "End a lease, and delete its keys",
        operands: [lease],
        switches: {},
        hintedAt: ["delete", "end"],
        examples: [["dkvctl lease revoke 694d81417acd4a63", "no error if it is gone already"]],
      },
      {
        name: "ttl",
        describe: "Print how many seconds are left of a lease",
        operands: [lease],
        switches: { keys: "and its keys" },
        hintedAt: ["timetolive", "get", "show"],
        examples: [["dkvctl lease ttl 694d81417acd4a63 --keys -o table", "and what is deleted with it"]],
      },
      {
        name: "list",
        describe: "List all leases",
        operands: [],
        switches: {},
        hintedAt: ["ls"],
        examples: [["dkvctl lease list", "their IDs, one on a line"]],
      },
    ],
  },
  {
    name: "lock",
    describe: "Wait for a lock, and run a command while it is held",
    operands: [{ name: "NAME", describe: "of the lock" }, command],
    switches: {},
    flags: { ttl, wait },
    hintedAt: ["mutex"],
    examples: [
      ["dkvctl lock nightly -- ./backup.sh", "one at a time; its exit status is that of the command"],
      [
        "dkvctl lock nightly -- sh -c 'echo $DKV_FENCING_TOKEN'",
        "greater than that of everybody who held it before",
      ],
      ["dkvctl lock nightly", "hold it until Ctrl-C"],
      ["dkvctl lock nightly --wait=0s -- ./backup.sh", "exit status 5 if somebody else holds it"],
    ],
    epilogue: `--timeout does not bound the wait for the lock: --wait does.
If the lock is lost, that is said at once, and the command is ended with SIGTERM, and with SIGKILL after 5s.
So is what it has started, unless a terminal is its standard input.`,
  },
  {
    name: "elect",
    describe: "Wait until this one leads, and run a command while it does",
    operands: [{ name: "NAME", describe: "of the election" }, command],
    switches: {},
    flags: {
      value: {
        value: "VALUE",
        describe: "what others read who look for the leader (this host unless given)",
      },
      ttl,
      wait,
    },
    hintedAt: ["election", "campaign"],
    examples: [
      ["dkvctl elect scheduler -- ./scheduler", "one leads, the others wait"],
      ["dkvctl elect scheduler --value=10.0.0.7:80", "lead until Ctrl-C"],
      ["dkvctl list scheduler/", "who leads, and who waits"],
    ],
    epilogue: `--timeout does not bound the wait to lead: --wait does.
If it leads no more, that is said at once, and the command is ended with SIGTERM, and with SIGKILL after 5s.
So is what it has started, unless a terminal is its standard input.`,
  },
] as const satisfies readonly CommandEntry[];
