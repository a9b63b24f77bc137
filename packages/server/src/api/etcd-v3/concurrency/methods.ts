/**
 * Locks and elections. All of their methods are streams, also those that answer once: whoever waits has to be
 * told when the caller has gone.
 */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";
import type { ErrorTranslator } from "../../errors.ts";
import { generatedStream, type Surroundings } from "../../generated-stream.ts";
import type { StreamMethod } from "../../stream-method.ts";
import { decode } from "../../unary-method.ts";
import { frameOf } from "../method.ts";
import { ElectionService } from "./election-service.ts";
import { LockService } from "./lock-service.ts";
import type { OwnCalls } from "./own-calls.ts";

export function concurrencyMethods(calls: OwnCalls, translate: ErrorTranslator): readonly StreamMethod[] {
  const locks = new LockService(calls);
  const elections = new ElectionService(calls);
  const { lock, unlock } = Lock.method;
  const { campaign, proclaim, leader, observe, resign } = Election.method;
  return [
    waitingMethod(lock, translate, (request, call) => locks.lock(request, call)),
    waitingMethod(unlock, translate, (request, call) => locks.unlock(request, call)),
    waitingMethod(campaign, translate, (request, call) => elections.campaign(request, call)),
    waitingMethod(proclaim, translate, (request, call) => elections.proclaim(request, call)),
    waitingMethod(leader, translate, (request, call) => elections.leader(request, call)),
    waitingMethod(resign, translate, (request, call) => elections.resign(request, call)),
    streamMethod(observe, translate, (request, call) => elections.observe(request, call)),
  ];
}

function waitingMethod<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output>,
  translate: ErrorTranslator,
  answer: (request: MessageShape<Input>, surroundings: Surroundings) => Promise<MessageInitShape<Output>>,
): StreamMethod {
  return streamMethod(method, translate, async function* (request, surroundings) {
    yield await answer(request, surroundings);
  });
}

function streamMethod<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output> | DescMethodServerStreaming<Input, Output>,
  translate: ErrorTranslator,
  answers: (
    request: MessageShape<Input>,
    surroundings: Surroundings,
  ) => AsyncGenerator<MessageInitShape<Output>>,
): StreamMethod {
  const path = `/${method.parent.typeName}/${method.name}`;
  return generatedStream({ path, translate }, async function* (message, surroundings) {
    for await (const answer of answers(decode(method.input, message), surroundings))
      yield frameOf(method.output, answer);
  });
}
