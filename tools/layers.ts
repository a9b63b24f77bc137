/**
 * Who may import whom. A new folder or package stands here before anything can import it, or import from it.
 *
 *   L5  main.ts, server.ts, start/  the only place that sees everything
 *   L4  launchers              command lines of older systems, which become flags
 *       api → listener         doors, and the ports that they stand behind
 *   L3  consensus              the only holder of a Raft node
 *   L2  storage | transport    neighbours that do not know each other
 *   L1  platform, codec        the outside world; bytes
 *   L0  raft, store, snapshot, protocol, http2  packages of their own
 */
import { type Import, importsOf } from "./imports.ts";
import type { SourceFile } from "./sources.ts";

/**
 * Packages of ours that each package's source may import, beside those from npm that its package.json names.
 */
const packages: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  protocol: [],
  store: ["protocol"],
  snapshot: ["raft", "store"],
  http2: [],
  // Members may be told to make their own certificates.
  server: ["certificates", "http2", "protocol", "raft", "snapshot", "store"],
  client: ["protocol"],
  dkvctl: ["client", "protocol", "snapshot"],
  certificates: [],
  checker: [],
  cluster: ["certificates"],
  // What watches cost a member is measured without the doors around them.
  bench: ["certificates", "cluster", "http2", "protocol", "server", "store"],
  chaos: ["certificates", "checker", "client", "cluster", "protocol"],
  "etcd-diff": ["cluster", "protocol"],
  fuzz: [],
  simulator: ["checker", "protocol", "raft", "server", "snapshot", "store"],
};

/**
 * What the source of a package may import from outside the project; others may what their package.json says.
 */
const outside: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  // For its checksum: a pure function, alike on every machine.
  store: ["@bufbuild/protobuf", "node:zlib"],
  protocol: ["@bufbuild/protobuf"],
  checker: [],
};

/** Folders of the server, each with what it may import of the others: a folder, or one file of it. */
const folders: Readonly<Record<string, readonly string[]>> = {
  api: ["consensus/member.ts", "listener/request-handlers.ts", "platform"],
  listener: ["platform"],
  // They make flags, and ask whether a directory is in use.
  launchers: ["config", "platform", "storage/open-storage.ts"],
  // What a membership table and a greeting take is what may be named.
  config: ["codec/handshake-codec.ts", "codec/membership-codec.ts", "platform"],
  consensus: ["storage", "transport", "codec", "platform"],
  storage: ["codec", "platform"],
  transport: ["codec", "platform"],
  // The interface names what it carries, and is nothing but types.
  codec: ["platform", "transport/peer-transport.ts"],
  platform: [],
};

/** The composition root may import all; what else lies in no folder are leaves. */
const compositionRoot = ["main.ts", "server.ts", "start/"];
const leaves = ["version.ts"];

/**
 * Turns numbers into branded ones and back, names the position before the first entry, and reads what a log
 * says of its configurations: part of the types, in effect.
 */
const vocabulary = [
  "ConfigurationHistory",
  "decodeConfiguration",
  "encodeConfiguration",
  "logIndex",
  "noEntry",
  "nodeId",
  "readContext",
  "term",
];

/** One import that goes the wrong way, in words. */
export function layerMistakes(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const imports = importsOf(file);
    return [...imports.flatMap((one) => mistakeOf(file.path, one)), ...mixtureOf(file.path, imports)].map(
      (mistake) => `${file.path}: ${mistake}`,
    );
  });
}

function mistakeOf(path: string, one: Import): readonly string[] {
  const [, name, part] = /^packages\/([^/]+)\/([^/]+)\//.exec(path) ?? [];
  if (name === undefined || part !== "src") return [];
  return [packageMistake(name, one), name === "server" ? serverMistake(path, one) : undefined].filter(
    (mistake) => mistake !== undefined,
  );
}

function packageMistake(name: string, { target }: Import): string | undefined {
  const allowed = packages[name];
  if (allowed === undefined) return `the package ${name} has no place in tools/layers.ts`;
  const ours = /^@dkv\/([^/]+)/.exec(target)?.[1] ?? /^packages\/([^/]+)/.exec(target)?.[1];
  if (ours !== undefined) {
    if (ours === name || allowed.includes(ours)) return undefined;
    return `imports ${target}, but ${name} may only know ${allowed.join(", ") || "itself"}`;
  }
  const known = outside[name];
  if (known === undefined || known.some((each) => target === each || target.startsWith(`${each}/`)))
    return undefined;
  return `imports ${target}, but ${name} may only know ${known.join(", ") || "itself"}`;
}

function serverMistake(path: string, one: Import): string | undefined {
  const from = path.slice("packages/server/src/".length);
  if (compositionRoot.some((each) => from === each || (each.endsWith("/") && from.startsWith(each))))
    return undefined;
  const folder = from.split("/")[0] ?? from;
  if (one.target === "classic-level" && from !== "storage/state/leveldb.ts") {
    return "imports classic-level, which only storage/state/leveldb.ts may";
  }
  if (one.target === "@dkv/raft" && folder !== "consensus" && folder !== "codec") {
    const foreign = one.values.filter((value) => !vocabulary.includes(value));
    if (foreign.length > 0)
      return `imports ${foreign.join(", ")} of @dkv/raft; outside consensus/ and codec/ only its types`;
  }
  if (!one.target.startsWith("packages/server/src/")) return undefined;
  const target = one.target.slice("packages/server/src/".length);
  if (leaves.includes(target) || target.startsWith(`${folder}/`)) return undefined;
  const allowed = folders[folder];
  if (allowed === undefined) return `${folder} has no place in tools/layers.ts`;
  if (allowed.some((each) => target === each || target.startsWith(`${each}/`))) return undefined;
  return `imports ${target}, but ${folder}/ may only know ${allowed.join(", ") || "itself"}`;
}

/**
 * The core's types and their form on the wire meet in one folder, so that neither bends to the other
 * elsewhere.
 */
function mixtureOf(path: string, imports: readonly Import[]): readonly string[] {
  if (!path.startsWith("packages/server/src/") || path.startsWith("packages/server/src/codec/")) return [];
  const targets = imports.map(({ target }) => target);
  if (!targets.includes("@dkv/raft") || !targets.includes("@dkv/protocol/dkv/peer/v1/peer")) return [];
  return ["imports both @dkv/raft and its wire form; only codec/ translates between them"];
}
