import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeId, noEntry } from "@dkv/raft";
import { Guard } from "../../src/consensus/guard.ts";
import { Outbox } from "../../src/consensus/outbox.ts";
import { PeerRequests } from "../../src/consensus/peer-requests.ts";
import { systemClock } from "../../src/platform/clock.ts";
import type { PeerFrame, PeerRequest } from "../../src/transport/peer-transport.ts";

const asked = nodeId(1n);
const stranger = nodeId(2n);

interface Parts {
  readonly requests?: readonly PeerRequest[];
  readonly responses?: readonly PeerRequest[];
}

const frame = ({ requests = [], responses = [] }: Parts): PeerFrame => ({
  messages: [],
  forwarded: [],
  forwardedTerm: noEntry.term,
  refusals: [],
  requests,
  responses,
});

const body = (text: string): Uint8Array => Buffer.from(text);

/** Requests whose frames a test sees instead of a network. */
function observed(answer: (body: Uint8Array) => Promise<Uint8Array>) {
  const outbox = new Outbox();
  const sent: PeerFrame[] = [];
  const failures: unknown[] = [];
  const requests = new PeerRequests({
    outbox,
    clock: systemClock,
    schedule: () => undefined,
    answer,
    guard: new Guard((error) => failures.push(error)),
  });
  const transport = {
    send: (_to: bigint, one: PeerFrame) => {
      sent.push(one);
      return true;
    },
  };
  const flush = (): void => {
    requests.flushed(outbox.flush(transport as never));
  };
  return { requests, sent, flush, failures };
}

const echo = (question: Uint8Array): Promise<Uint8Array> => Promise.resolve(question);

describe("a question to another member", () => {
  it("is answered by that member, and by no other", async () => {
    const { requests, sent, flush } = observed(echo);
    const reply = requests.ask(asked, body("why"), 5000);
    flush();
    const { id } = sent[0]?.requests[0] ?? assert.fail();
    requests.received(stranger, frame({ responses: [{ id, body: body("wrong") }] }));
    requests.received(asked, frame({ responses: [{ id, body: body("because") }] }));
    assert.deepEqual(await reply, { kind: "answer", body: body("because") });
  });

  it("that no link took was not asked", async () => {
    const { requests } = observed(echo);
    const reply = requests.ask(asked, body("why"), 5000);
    requests.flushed(new Set([asked]));
    assert.deepEqual(await reply, { kind: "notSent" });
  });

  it("that nobody answers in time is left open", async () => {
    const { requests, flush } = observed(echo);
    const reply = requests.ask(asked, body("why"), 1);
    flush();
    assert.deepEqual(await reply, { kind: "silence" });
  });
});

describe("the questions of other members", () => {
  it("are answered under their numbers", async () => {
    const { requests, sent, flush } = observed(echo);
    requests.received(asked, frame({ requests: [{ id: 7, body: body("x") }] }));
    await Promise.resolve();
    flush();
    assert.deepEqual(sent[0]?.responses, [{ id: 7, body: body("x") }]);
  });

  it("end the process when they cannot even be refused", async () => {
    const failure = new Error("broken");
    const { requests, failures } = observed(() => Promise.reject(failure));
    requests.received(asked, frame({ requests: [{ id: 7, body: body("x") }] }));
    await new Promise(setImmediate);
    assert.deepEqual(failures, [failure]);
  });

  it("are left unanswered while too many are being answered", async () => {
    const { promise: answers, resolve } = Promise.withResolvers<Uint8Array>();
    let begun = 0;
    const { requests, sent, flush } = observed(() => {
      begun += 1;
      return answers;
    });
    const many = Array.from({ length: 300 }, (_, id) => ({ id, body: body("x") }));
    requests.received(asked, frame({ requests: many }));
    assert.equal(begun, 256);
    resolve(body("y"));
    await answers;
    requests.received(asked, frame({ requests: many.slice(0, 10) }));
    await new Promise(setImmediate);
    assert.equal(begun, 266);
    flush();
    assert.equal(sent[0]?.responses.length, 266);
  });
});
