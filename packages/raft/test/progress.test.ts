import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "../src/tracker/progress.ts";
import { logIndex } from "../src/types.ts";

const none = logIndex(0);
/** Where the log begins. */
const first = logIndex(1);

/** A follower of a log that ends at 10; nothing is known of it. */
function probing(next = 10): Progress {
  return new Progress({ next: logIndex(next), maxInflightMessages: 2, maxInflightBytes: 1000 });
}

/** It is known to store everything up to `match`. */
function replicating(match: number): Progress {
  const progress = probing();
  progress.accepted(logIndex(match), first);
  return progress;
}

function send(progress: Progress, last: number): void {
  progress.sentAppend(logIndex(last), 1, none);
}

test("a probe is sent once and then waits for its answer", () => {
  const progress = probing();
  assert.ok(progress.wantsAppend(logIndex(10), none));
  send(progress, 10);
  assert.equal(progress.next, 10, "a probe promises nothing, so next stays");
  assert.ok(!progress.wantsAppend(logIndex(10), none));
});

test("a probe that may be lost is repeated when the follower answers a heartbeat", () => {
  const progress = probing();
  send(progress, 10);
  progress.heartbeatSent();
  assert.ok(!progress.wantsAppend(logIndex(10), none));
  progress.heartbeatAnswered();
  assert.ok(progress.wantsAppend(logIndex(10), none));
});

test("an accepted probe opens the pipeline after what is stored", () => {
  const progress = probing();
  send(progress, 10);
  assert.ok(progress.accepted(logIndex(10), first));
  assert.equal(progress.state, "replicate");
  assert.equal(progress.next, 11);
});

test("in the pipeline next runs ahead of the answers, up to the window", () => {
  const progress = replicating(4);
  send(progress, 6);
  assert.equal(progress.next, 7);
  send(progress, 7);
  assert.ok(progress.isPaused);
  assert.ok(!progress.wantsAppend(logIndex(10), none));
  assert.ok(progress.accepted(logIndex(6), first));
  assert.ok(progress.wantsAppend(logIndex(10), none), "the window moved on");
  assert.equal(progress.next, 8, "what is on its way is not sent again");
});

test("an acknowledgement that comes late or twice is no news", () => {
  const progress = replicating(4);
  send(progress, 6);
  progress.accepted(logIndex(6), first);
  assert.equal(progress.accepted(logIndex(5), first), false);
  assert.equal(progress.accepted(logIndex(6), first), false);
  assert.equal(progress.match, 6);
});

test("a refusal in the pipeline leads back to probing after what is stored", () => {
  const progress = replicating(4);
  send(progress, 6);
  send(progress, 8);
  assert.ok(progress.rejected(logIndex(6), logIndex(5)));
  assert.equal(progress.state, "probe");
  assert.equal(progress.next, 5);
  assert.equal(progress.isPaused, false);
});

test("a refusal of something acknowledged since is old news", () => {
  const progress = replicating(4);
  assert.equal(progress.rejected(logIndex(4), logIndex(2)), false);
  assert.equal(progress.state, "replicate");
});

test("each refused probe goes further back, whatever the hint", () => {
  const progress = probing(10);
  let before = 10;
  for (const agreed of [8, 8, 100, 3]) {
    send(progress, 10);
    assert.ok(progress.rejected(logIndex(progress.next - 1), logIndex(agreed)));
    assert.ok(progress.next < before, `${String(progress.next)} < ${String(before)}`);
    before = progress.next;
  }
  assert.equal(progress.next, 4);
});

test("a refusal of an earlier probe is old news", () => {
  const progress = probing(10);
  send(progress, 10);
  assert.ok(progress.rejected(logIndex(9), logIndex(5)));
  assert.equal(progress.rejected(logIndex(9), logIndex(1)), false, "the same one again");
  assert.equal(progress.next, 6);
});

test("a commit index is told once, with an empty append if there is nothing to send", () => {
  const progress = replicating(10);
  progress.tick();
  assert.ok(progress.wantsAppend(logIndex(10), logIndex(9)));
  progress.sentAppend(logIndex(10), 0, logIndex(9));
  assert.equal(progress.toldCommit, 9);
  progress.tick();
  assert.ok(!progress.wantsAppend(logIndex(10), logIndex(9)));
  assert.ok(progress.wantsAppend(logIndex(10), logIndex(10)));
});

test("a commit index alone waits for a tick, unless somebody at the follower waits for it", () => {
  const progress = replicating(10);
  progress.tick();
  progress.sentAppend(logIndex(10), 0, logIndex(8));
  assert.ok(!progress.wantsAppend(logIndex(10), logIndex(9)));
  progress.awaitsCommit(logIndex(8));
  assert.ok(!progress.wantsAppend(logIndex(10), logIndex(9)), "what was waited for has been told");
  progress.awaitsCommit(logIndex(9));
  assert.ok(progress.wantsAppend(logIndex(10), logIndex(9)));
});

test("a commit index alone waits while entries are on their way, and leaves when they are acknowledged", () => {
  const progress = replicating(8);
  send(progress, 10);
  progress.tick();
  assert.ok(!progress.wantsAppend(logIndex(10), logIndex(9)));
  assert.ok(progress.wantsAppend(logIndex(11), logIndex(9)), "with entries it need not wait");
  progress.accepted(logIndex(10), first);
  assert.ok(progress.wantsAppend(logIndex(10), logIndex(9)));
});

test("what was on its way when a refusal came is not waited for", () => {
  const progress = replicating(4);
  send(progress, 6);
  send(progress, 10);
  progress.rejected(logIndex(6), logIndex(4));
  assert.equal(progress.isPaused, false);
  progress.accepted(logIndex(10), first);
  progress.tick();
  assert.ok(progress.wantsAppend(logIndex(10), logIndex(9)));
});

test("a commit index counts as told only as far as the append reaches", () => {
  const progress = replicating(4);
  progress.sentAppend(logIndex(6), 1, logIndex(9));
  assert.equal(progress.toldCommit, 6);
});

test("a pipeline without any answer for a heartbeat interval is asked whether something was lost", () => {
  const progress = replicating(4);
  send(progress, 10);
  progress.heartbeatSent();
  progress.heartbeatAnswered();
  assert.ok(!progress.wantsAppend(logIndex(10), none), "it has not had the time yet");
  progress.heartbeatSent();
  progress.heartbeatAnswered();
  assert.ok(progress.wantsAppend(logIndex(10), none));
  progress.sentAppend(logIndex(10), 0, none);
  assert.ok(!progress.wantsAppend(logIndex(10), none), "once");
});

test("a pipeline that moves is left alone", () => {
  const progress = replicating(4);
  send(progress, 6);
  progress.heartbeatSent();
  send(progress, 10);
  progress.accepted(logIndex(6), first);
  progress.heartbeatSent();
  progress.heartbeatAnswered();
  assert.ok(!progress.wantsAppend(logIndex(10), none));
});

/** A follower that needs what a log beginning at 6 has dropped. */
function waiting(): Progress {
  const progress = replicating(4);
  send(progress, 10);
  progress.becomeSnapshot();
  return progress;
}

const sixth = logIndex(6);

test("a follower that needs a snapshot is sent no entries, and what it was sent before counts for nothing", () => {
  const progress = waiting();
  assert.ok(progress.isPaused);
  assert.ok(!progress.wantsAppend(logIndex(20), logIndex(15)));
  assert.equal(progress.rejected(logIndex(8), logIndex(4)), false);
  progress.heartbeatSent();
  progress.heartbeatAnswered();
  progress.heartbeatSent();
  progress.heartbeatAnswered();
  assert.ok(!progress.wantsAppend(logIndex(20), logIndex(15)), "nor is it asked whether that was lost");
  assert.deepEqual([progress.state, progress.match, progress.next], ["snapshot", 4, 5]);
});

test("an acknowledgement ends the wait for a snapshot if it reaches the beginning of the log", () => {
  const early = waiting();
  assert.equal(early.accepted(logIndex(4), sixth), false);
  assert.equal(early.accepted(logIndex(3), sixth), false);
  assert.deepEqual([early.state, early.match], ["snapshot", 4]);
  const short = replicating(3);
  short.becomeSnapshot();
  assert.equal(short.accepted(logIndex(4), sixth), true, "it is news all the same");
  assert.deepEqual([short.state, short.match, short.next], ["snapshot", 4, 5]);
  assert.ok(short.accepted(logIndex(5), sixth));
  assert.deepEqual([short.state, short.match, short.next], ["replicate", 5, 6]);
});

test("when a snapshot has failed the beginning of the log is probed, and what is refused is asked for anew", () => {
  const progress = waiting();
  progress.snapshotFailed(sixth);
  assert.deepEqual([progress.state, progress.next], ["probe", 6]);
  assert.ok(progress.wantsAppend(logIndex(5), none), "even if there is no entry to send");
  progress.sentAppend(logIndex(5), 0, none);
  assert.ok(!progress.wantsAppend(logIndex(5), none));
  assert.ok(progress.rejected(logIndex(5), logIndex(4)));
  assert.equal(progress.next, 5);
});

test("what has failed for one that waits for no snapshot changes nothing", () => {
  const progress = replicating(4);
  send(progress, 10);
  progress.snapshotFailed(sixth);
  assert.deepEqual([progress.state, progress.next], ["replicate", 11]);
});

test("a follower that stores more than the beginning of the log is probed after that", () => {
  const progress = replicating(8);
  progress.becomeSnapshot();
  progress.snapshotFailed(sixth);
  assert.equal(progress.next, 9);
});
