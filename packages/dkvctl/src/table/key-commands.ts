/** The commands that read, change and watch keys. */
import type { CommandEntry } from "./entry.ts";
import { txnHelp } from "./txn-help.ts";

const key = { name: "KEY", describe: "any text but the empty one" };
const keyOrPrefix = { name: "KEY", describe: "any text; with --prefix also the empty one, for all keys" };
const prefix = {
  name: "PREFIX",
  describe: "what the keys begin with; all keys unless given",
  isOptional: true,
};

const isPrefix = "all keys that begin with KEY";
const serializable =
  "answer from the member asked, even if it is behind; a REVISION that it lacks is waited for";
const previous = "print what the key was before; nothing if it was not there";
const atRevision = { value: "REVISION", describe: "as it was at that revision" };
const ifVersion = {
  value: "VERSION",
  describe: "only if the key has this version; one that is missing has 0",
};
const ifRevision = {
  value: "REVISION",
  describe: "only if the key was last set at that revision; 0: only if it is missing",
};

export const keyCommands = [
  {
    name: "get",
    describe: "Print the value of a key",
    operands: [keyOrPrefix],
    switches: {
      serializable,
      prefix: isPrefix,
      meta: "with revisions, version and lease",
    },
    flags: { rev: atRevision, limit: { value: "COUNT", describe: "with --prefix: most keys" } },
    hintedAt: ["read", "cat"],
    examples: [
      ["dkvctl get greeting", "print the value"],
      ["dkvctl get picture -o value > cat.png", "its bytes alone, without a line feed after them"],
      ["dkvctl get greeting --meta", "and when it was set, and how often"],
      ["dkvctl get greeting --rev=17", "as it was at revision 17"],
      ["dkvctl get --prefix users/", "all keys that begin so, as a table"],
      ["dkvctl get greeting -o json", "with revisions, and base64 for binary values"],
      ["dkvctl get -- --odd-key", "a key that starts with a dash"],
    ],
  },
  {
    name: "set",
    describe: "Set the value of a key",
    operands: [
      key,
      { name: "VALUE", describe: "any text, also the empty one; - reads it from standard input" },
    ],
    switches: { "if-absent": "only if the key is missing", previous },
    flags: {
      ttl: { value: "DURATION", describe: "delete the key after so long, unless it is set again: 30s, 1h" },
      lease: { value: "LEASE", describe: "delete the key with that lease" },
      "if-version": ifVersion,
      "if-rev": ifRevision,
    },
    hintedAt: ["put", "write"],
    examples: [
      ["dkvctl set greeting hello", "set a text"],
      ['dkvctl set greeting ""', "set an empty value"],
      ["dkvctl set picture - < cat.png", "set any bytes"],
      ["dkvctl set session alice --ttl=30m", "deleted after half an hour"],
      ["dkvctl set greeting hi --if-version=3", "exit status 5 if it has another version"],
      ["dkvctl set owner me --if-absent", "exit status 5 if somebody owns it"],
    ],
  },
  {
    name: "delete",
    describe: "Delete a key, or many; no error if none is there",
    operands: [keyOrPrefix],
    switches: {
      previous,
      prefix: `${isPrefix}, as one change; prints how many there were`,
      all: "with --prefix: an empty KEY is meant, and every key goes",
    },
    flags: { "if-version": ifVersion, "if-rev": ifRevision },
    hintedAt: ["del", "rm", "remove"],
    examples: [
      ["dkvctl delete greeting", "delete it"],
      ["dkvctl delete greeting --if-version=3", "exit status 5 if it has another version"],
      ["dkvctl delete --prefix users/", "all keys that begin so"],
    ],
  },
  {
    name: "list",
    describe: "List keys in the order of their bytes",
    operands: [prefix],
    switches: { "keys-only": "without values", serializable },
    flags: {
      limit: { value: "COUNT", describe: "most keys" },
      rev: { value: "REVISION", describe: "as they were at that revision" },
    },
    hintedAt: ["ls", "keys", "scan", "range"],
    examples: [
      ["dkvctl list users/", "keys and values as a table"],
      ["dkvctl list users/ -o value", "the keys alone, one on a line"],
      ["dkvctl list --limit=10 --keys-only -o json", "one JSON object on a line for each key"],
    ],
  },
  {
    name: "watch",
    describe: "Print every change of a key, or of many, until Ctrl-C",
    operands: [keyOrPrefix],
    switches: { prefix: isPrefix, previous: "with what the key was before" },
    flags: {
      rev: { value: "REVISION", describe: "the first revision whose changes are wanted; else those to come" },
      exec: {
        value: "COMMAND",
        describe: "run this in a shell for each change, one after the other, with the value on its input",
      },
    },
    hintedAt: ["subscribe", "follow", "observe"],
    examples: [
      ["dkvctl watch greeting", "revision, what happened, key and value, one change on a line"],
      ["dkvctl watch --prefix users/ -o json", "one JSON object on a line for each change"],
      ["dkvctl watch --prefix users/ --rev=17", "and first what has happened since revision 17"],
      [
        "dkvctl watch config --exec 'cat > app.conf'",
        "$DKV_EVENT is set or delete, and there are $DKV_KEY and $DKV_REVISION",
      ],
    ],
    epilogue:
      "A key that no variable can hold, as it is no text or has a NUL in it, is in $DKV_KEY_BASE64 instead.",
  },
  {
    name: "txn",
    describe: "Do several operations as one change, if conditions hold",
    operands: [
      {
        name: "FILE",
        describe: "where it is written; standard input unless given, and a terminal is asked line by line",
        isOptional: true,
      },
    ],
    switches: {},
    hintedAt: ["transaction", "cas"],
    examples: [
      ["dkvctl txn", "ask for it, line by line"],
      ["dkvctl txn move.txn -o json", "from a file, and print what came of it as one JSON object"],
      ["printf 'if missing lock\\nthen\\nset lock me\\n' | dkvctl txn", "from a program"],
    ],
    epilogue: txnHelp,
  },
  {
    name: "import",
    describe: "Set keys from JSON lines, as export prints them",
    operands: [{ name: "FILE", describe: "the file; - reads standard input" }],
    switches: {},
    flags: {
      "from-line": { value: "LINE", describe: "leave out the lines before: to go on after a failure" },
    },
    hintedAt: ["load"],
    examples: [
      ["dkvctl import keys.jsonl", 'each line is like {"key":"greeting","value":"hello"}'],
      ["dkvctl import keys.jsonl --from-line=1001", "where it said that it broke off"],
    ],
    epilogue: `A line has key, and value or value_base64, and nothing else. Standard error says how many were set. Many keys are set at the same time; lines with the same key one after the other, so that the last one
stays. No key has a time to live or a lease afterwards: export does not print them.`,
  },
  {
    name: "export",
    describe: "Print keys and values as JSON lines, all as at one revision",
    operands: [prefix],
    switches: { serializable },
    flags: { rev: { value: "REVISION", describe: "as they were at that revision" } },
    hintedAt: ["dump"],
    examples: [
      ["dkvctl export > keys.jsonl", "all keys; a value that is no text is in base64"],
      ["dkvctl export users/ | dkvctl import - --endpoint=other:3000", "into another cluster"],
    ],
    epilogue: `Times to live and leases are not printed: a key that is imported stays until it is deleted. snapshot save
keeps all of it.`,
  },
] as const satisfies readonly CommandEntry[];
