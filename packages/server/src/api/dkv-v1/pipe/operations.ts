/** Does the operations of a stream, each on its own. */
import { type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  ErrorDetailSchema,
  type PipeErrorSchema,
  type PipeRequest,
  type PipeResponseSchema,
  TxnRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { DkvError } from "../../../platform/errors.ts";
import type { ErrorTranslator } from "../../errors.ts";
import { deleteResponse, getResponse, setResponse, type Timeout } from "../answers.ts";
import type { DkvService } from "../service.ts";
import { txnResponse, type TxnService } from "../txn-service.ts";
import { expectedBytes, resultBytes } from "./answer-bytes.ts";
import type { AnswerRoom } from "./answer-room.ts";

export type PipeAnswer = MessageInitShape<typeof PipeResponseSchema>;
type PipeResult = NonNullable<PipeAnswer["result"]>;

export interface PipeServices {
  readonly keys: DkvService;
  readonly txns: TxnService;
  readonly translate: ErrorTranslator;
}

export class PipeOperations {
  readonly #services: PipeServices;

  constructor(services: PipeServices) {
    this.#services = services;
  }

  /** Never rejects: what fails is an answer, too. */
  async run({ id, operation }: PipeRequest, room: AnswerRoom, timeoutMs?: number): Promise<PipeAnswer> {
    try {
      const work = (): Promise<PipeResult> => this.#do(operation, room, timeoutMs);
      const expected = expectedBytes(operation);
      return { id, result: await (expected > 0 ? room.answer(expected, work, resultBytes) : work()) };
    } catch (error) {
      return this.failed(id, error);
    }
  }

  failed(id: bigint, error: unknown): PipeAnswer {
    return { id, result: { case: "error", value: pipeError(this.#services.translate(error)) } };
  }

  async #do(operation: PipeRequest["operation"], room: AnswerRoom, timeoutMs: Timeout): Promise<PipeResult> {
    const { keys, txns } = this.#services;
    switch (operation.case) {
      case "get":
        return { case: "get", value: getResponse(await keys.get(operation.value, timeoutMs, room)) };
      case "set":
        return { case: "set", value: setResponse(await keys.set(operation.value, timeoutMs)) };
      case "delete":
        return { case: "delete", value: deleteResponse(await keys.delete(operation.value, timeoutMs)) };
      case "txn":
        return { case: "txn", value: txnResponse(await txns.txn(operation.value, timeoutMs)) };
      case undefined:
        throw new DkvError("invalidRequest", "the request has no operation: set get, set, delete or txn");
    }
  }
}

/** Memory that an operation takes while it is done, roughly. */
export function operationBytes({ operation }: PipeRequest): number {
  if (operation.case === "set") return operation.value.key.length + operation.value.value.length;
  return operation.case === "txn" ? toBinary(TxnRequestSchema, operation.value).length : 0;
}

function pipeError(error: ConnectError): MessageInitShape<typeof PipeErrorSchema> {
  const [detail] = error.findDetails(ErrorDetailSchema);
  return { status: error.code, message: error.rawMessage, ...(detail !== undefined && { detail }) };
}
