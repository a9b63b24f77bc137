/** The commands about who may do what. */
import type { CommandEntry } from "./entry.ts";

const user = { name: "USER", describe: "name of the user" };
const userAndPassword = { name: "USER", describe: "NAME, or NAME:PASSWORD" };
const role = { name: "ROLE", describe: "name of the role" };
const keys = [
  { name: "KEY", describe: "the key, or with END the first of them" },
  { name: "END", describe: "the first key that is not meant", isOptional: true },
];
const keySwitches = {
  prefix: "all keys that begin with KEY; with the empty one, all keys",
  "from-key": "all keys from KEY on",
};
const plain = { operands: [], switches: {}, hintedAt: [] } as const;

export const authCommands = [
  {
    ...plain,
    name: "auth",
    describe: "Have members serve users only, or everybody",
    examples: [["dkvctl auth enable", "needs a user root that has the role root"]],
    subcommands: [
      {
        ...plain,
        name: "enable",
        describe: "Serve nobody but users, and let those do only what their roles permit",
        examples: [
          ["dkvctl auth enable", "from then on every command needs --user, or a client certificate"],
        ],
      },
      {
        ...plain,
        name: "disable",
        describe: "Serve everybody; users and roles are kept",
        examples: [["dkvctl auth disable --user=root", "asks for the password"]],
      },
      {
        ...plain,
        name: "status",
        describe: "Say whether authentication is enabled",
        examples: [["dkvctl auth status --user=root", "asks for the password"]],
      },
    ],
  },
  {
    ...plain,
    name: "user",
    describe: "Add, change, delete and show users",
    hintedAt: ["users"],
    examples: [["dkvctl user add ann", "asks for a password"]],
    subcommands: [
      {
        ...plain,
        name: "add",
        describe: "Add a user, with a password that is asked for or read from standard input",
        operands: [userAndPassword],
        switches: { "no-password": "known by a client certificate with that common name alone" },
        hintedAt: ["create"],
        examples: [
          ["dkvctl user add ann", "asks for a password"],
          ["dkvctl user add ann < password.txt", "its first line"],
        ],
      },
      {
        ...plain,
        name: "delete",
        describe: "Delete a user",
        operands: [user],
        hintedAt: ["remove"],
        examples: [["dkvctl user delete ann", "whatever the user has begun ends"]],
      },
      {
        ...plain,
        name: "list",
        describe: "List all users",
        hintedAt: ["ls"],
        examples: [["dkvctl user list", "their names, one on a line"]],
      },
      {
        ...plain,
        name: "get",
        describe: "Print the roles of a user",
        operands: [user],
        hintedAt: ["show"],
        examples: [["dkvctl user get ann", "users may look at themselves"]],
      },
      {
        ...plain,
        name: "passwd",
        describe: "Give a user another password, which is asked for or read from standard input",
        operands: [userAndPassword],
        hintedAt: ["password"],
        examples: [["dkvctl user passwd ann", "what was begun with the old one ends"]],
      },
      {
        ...plain,
        name: "grant-role",
        describe: "Give a user a role",
        operands: [user, role],
        hintedAt: ["grant"],
        examples: [["dkvctl user grant-role ann readers", "ann may do what the role permits"]],
      },
      {
        ...plain,
        name: "revoke-role",
        describe: "Take a role from a user",
        operands: [user, role],
        hintedAt: ["revoke"],
        examples: [["dkvctl user revoke-role ann readers", "at once, for watches too"]],
      },
    ],
  },
  {
    ...plain,
    name: "role",
    describe: "Add, change, delete and show roles",
    hintedAt: ["roles"],
    examples: [["dkvctl role add readers", "it permits nothing yet"]],
    subcommands: [
      {
        ...plain,
        name: "add",
        describe: "Add a role",
        operands: [role],
        hintedAt: ["create"],
        examples: [["dkvctl role add readers", "it permits nothing yet"]],
      },
      {
        ...plain,
        name: "delete",
        describe: "Delete a role; every user loses it",
        operands: [role],
        hintedAt: ["remove"],
        examples: [["dkvctl role delete readers", "no user has it any more"]],
      },
      {
        ...plain,
        name: "list",
        describe: "List all roles",
        hintedAt: ["ls"],
        examples: [["dkvctl role list", "their names, one on a line"]],
      },
      {
        ...plain,
        name: "get",
        describe: "Print what a role permits",
        operands: [role],
        hintedAt: ["show"],
        examples: [["dkvctl role get readers", "users may look at their own roles"]],
      },
      {
        ...plain,
        name: "grant-permission",
        describe: "Have a role permit to read or write keys",
        operands: [
          role,
          { name: "KIND", describe: "read, write or readwrite", choices: ["read", "write", "readwrite"] },
          ...keys,
        ],
        switches: keySwitches,
        hintedAt: ["grant"],
        examples: [
          ["dkvctl role grant-permission readers read --prefix app/", "everything below app/"],
          ["dkvctl role grant-permission readers read a c", "from a up to and without c"],
        ],
      },
      {
        ...plain,
        name: "revoke-permission",
        describe: "Take a permission from a role, of the very same keys as it was given",
        operands: [role, ...keys],
        switches: keySwitches,
        hintedAt: ["revoke"],
        examples: [["dkvctl role revoke-permission readers --prefix app/", "whatever it was, read or write"]],
      },
    ],
  },
] as const satisfies readonly CommandEntry[];
