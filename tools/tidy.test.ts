/** Rules of the house that no linter knows. Each is also shown to find what it is there for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layerMistakes } from "./layers.ts";
import { missingFiles, readDocument, unreachableFiles } from "./reachable.ts";
import { readSources } from "./sources.ts";

const files = readSources();
const widest = 110;

/** Texts and patterns do not count, for they cannot be broken; the formatter breaks everything else but comments. */
function width(line: string): number {
  return line.replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`?|\/(?! )(?:[^/\\]|\\.)+\/[a-z]*/g, "").length;
}

describe("the sources", () => {
  it("import in one direction only", () => {
    assert.deepEqual(layerMistakes(files), []);
  });

  it(`have no line longer than ${widest} characters`, () => {
    const long = files.flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, at) => (width(line) > widest ? [`${path}:${at + 1}: ${line.length}`] : [])),
    );
    assert.deepEqual(long, []);
  });

  it("have no file that no one imports", () => {
    assert.deepEqual(unreachableFiles(files), []);
  });
});

describe("the documents", () => {
  for (const name of [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "docs/doors.md",
    "docs/guarantees.md",
    "docs/operations.md",
    "docs/testing.md",
  ]) {
    const document = readDocument(name);
    it(`${name} names only files that exist`, {
      skip: document === undefined && "it is not written yet",
    }, () => {
      assert.deepEqual(missingFiles(document ?? ""), []);
    });
  }

  it("are found out when they name a file that is gone", () => {
    assert.deepEqual(
      missingFiles("see `packages/raft/src/gone.ts`, `raft/src/types.ts` and `tools/layers.ts`"),
      ["packages/raft/src/gone.ts"],
    );
  });
});

describe("the direction of imports", () => {
  const wrong: Readonly<Record<string, readonly [string, string]>> = {
    "the core importing anything": ["packages/raft/src/a.ts", 'import { readFile } from "node:fs";'],
    "the store importing the core": ["packages/store/src/a.ts", 'import type { Term } from "@dkv/raft";'],
    "a client importing the server": ["packages/client/src/a.ts", 'import { x } from "@dkv/server/server";'],
    "dkvctl importing the server by path": [
      "packages/dkvctl/src/a.ts",
      'import { x } from "../../server/src/server.ts";',
    ],
    "the server importing the bench": ["packages/server/src/server.ts", 'import { x } from "@dkv/bench";'],
    "storage importing its neighbour": [
      "packages/server/src/storage/a.ts",
      'import { x } from "../transport/b.ts";',
    ],
    "the listener importing the doors": [
      "packages/server/src/listener/a.ts",
      'export { x } from "../api/b.ts";',
    ],
    "platform importing upwards": [
      "packages/server/src/platform/a.ts",
      'import type { x } from "../storage/b.ts";',
    ],
    "a door importing the driver": [
      "packages/server/src/api/kv/a.ts",
      'import { x } from "../../consensus/driver.ts";',
    ],
    "a door holding a node": [
      "packages/server/src/api/a.ts",
      'import {\n  type Term,\n  RaftNode,\n} from "@dkv/raft";',
    ],
    "LevelDB outside its file": [
      "packages/server/src/storage/a.ts",
      'const { x } = await import("classic-level");',
    ],
    "the wire form beside the core's": [
      "packages/server/src/transport/a.ts",
      'import type { Term } from "@dkv/raft";\nimport { x } from "@dkv/protocol/dkv/peer/v1/peer";',
    ],
  };
  for (const [what, [path, text]] of Object.entries(wrong)) {
    it(`forbids ${what}`, () => {
      assert.equal(layerMistakes([{ path, text }]).length, 1);
    });
  }

  const right: Readonly<Record<string, readonly [string, string]>> = {
    "consensus using everything below it": [
      "packages/server/src/consensus/a.ts",
      'import { x } from "../storage/b.ts";\nimport { RaftNode } from "@dkv/raft";',
    ],
    "storage branding numbers": [
      "packages/server/src/storage/a.ts",
      'import { logIndex, type Term } from "@dkv/raft";',
    ],
    "a door using the member's face": [
      "packages/server/src/api/a.ts",
      'import type { Member } from "../consensus/member.ts";',
    ],
    "the composition root": [
      "packages/server/src/server.ts",
      'import { x } from "./storage/a.ts";\nimport { y } from "./api/b.ts";',
    ],
    "a test of anything": ["packages/raft/test/a.test.ts", 'import { it } from "node:test";'],
  };
  for (const [what, [path, text]] of Object.entries(right)) {
    it(`allows ${what}`, () => {
      assert.deepEqual(layerMistakes([{ path, text }]), []);
    });
  }
});

describe("a file that no one imports", () => {
  const files = [
    { path: "packages/x/src/main.ts", text: 'import { a } from "./a.ts";' },
    { path: "packages/x/src/a.ts", text: "export const a = 1;" },
    { path: "packages/x/src/b.ts", text: 'import { c } from "./c.ts";' },
    { path: "packages/x/src/c.ts", text: 'import { b } from "./b.ts";' },
  ];

  it("is found even if others like it import it", () => {
    assert.deepEqual(unreachableFiles(files), ["packages/x/src/b.ts", "packages/x/src/c.ts"]);
  });
});
