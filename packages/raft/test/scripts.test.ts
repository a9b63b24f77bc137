/**
 * Plays every script of test/scripts. `DKV_REWRITE=1 node --test` writes down what happened instead of
 * comparing; the difference is then read by people.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Message } from "../src/messages.ts";
import type { TraceEvent } from "../src/trace.ts";
import { parseScript, playScript } from "./harness/script-file.ts";
import { Story } from "./harness/story.ts";

const folder = new URL("scripts/", import.meta.url);
const isRewriting = process.env["DKV_REWRITE"] === "1";
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

/** Everything that a node may say, aloud or to itself. */
const kinds: Readonly<Record<(Message | TraceEvent)["kind"], true>> = {
  preVoteRequest: true,
  preVoteResponse: true,
  voteRequest: true,
  voteResponse: true,
  appendEntries: true,
  appendAccepted: true,
  appendRejected: true,
  heartbeat: true,
  heartbeatResponse: true,
  timeoutNow: true,
  readIndexRequest: true,
  readIndexResponse: true,
  becameFollower: true,
  becamePreCandidate: true,
  becameCandidate: true,
  becameLeader: true,
  voteGranted: true,
  voteRefused: true,
  quorumLost: true,
  entriesConflicted: true,
  prevMissing: true,
  followerProbed: true,
  followerReplicates: true,
  followerNeedsSnapshot: true,
  committed: true,
  snapshotAccepted: true,
  snapshotNotNeeded: true,
  configurationAppended: true,
  notVoterAnyMore: true,
  readConfirmed: true,
  readDropped: true,
  transferStarted: true,
  transferAborted: true,
  ignored: true,
};

describe("scripts", () => {
  const heard = new Set<string>();
  for (const name of names) {
    const path = new URL(name, folder);
    test(name.replace(/\.txt$/, "").replaceAll("-", " "), () => {
      const text = readFileSync(path, "utf8");
      assert.match(
        text,
        /^# .+\n(?:#.*\n)*# Source: .+\n/,
        "a script begins with what it proves, and its source",
      );
      const story = new Story((event) => heard.add(event.kind));
      const outcome = playScript(parseScript(text), story);
      if (isRewriting) {
        writeFileSync(path, outcome.text);
        return;
      }
      assert.ok(outcome.differences.length === 0, `\n${outcome.differences.join("\n\n")}\n`);
      assert.equal(text, outcome.text, "a script is written as it would be rewritten");
    });
  }

  test("together they let every kind of message and every kind of event happen", () => {
    assert.deepEqual(
      Object.keys(kinds).filter((kind) => !heard.has(kind)),
      [],
    );
  });
});

describe("the player of scripts", () => {
  const play = (text: string): readonly string[] =>
    playScript(parseScript(text), new Story(() => undefined)).differences;

  test("shows what is missing and what was not expected, in its place", () => {
    const script = [
      "cluster 1",
      "tick 1 10",
      "----",
      "1@1      asks for pre-votes",
      "1@1      campaigns",
      "1@1      loses",
      "1@1      has written entries=1/1",
      "1@1      commits 1",
    ];
    assert.deepEqual(play(script.join("\n")), [
      [
        "line 1:",
        "  cluster 1",
        "  tick 1 10",
        "  ----",
        "  1@1      asks for pre-votes",
        "  1@1      campaigns",
        "- 1@1      loses",
        "+ 1@1      has written term=1 vote=1",
        "+ 1@1      leads",
        "  1@1      has written entries=1/1",
        "  1@1      commits 1",
        "+ 1@1      applies 1/1 empty",
      ].join("\n"),
    ]);
  });

  test("says which command it does not understand, or what it broke", () => {
    assert.throws(() => play("cluster 1\nsing 1\n----\nok"), /line 2: sing 1\nthere is a command sing/);
    assert.throws(() => play("cluster 1\ntick 1 2 3\n----\nok"), /nobody understood 3/);
    assert.throws(() => play("cluster 1"), /line 1: commands are followed by a line ----/);
    const impossible =
      "cluster 1,2,3\nstore 1 log=1,1 commit=1\nstore 2 log=1,2\nstore 3 log=2 commit=1\n----\nok";
    assert.throws(() => play(impossible), /nodes commit the same entry at 1/);
  });

  test("finds at the end what no majority has on disk", () => {
    assert.throws(() => play("cluster 1,2,3\nstore 1 log=1 commit=1\n----\nok"), /disks of a majority/);
  });
});
