/** How large answers are: their keys and values, in bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  KeyValueSchema,
  PipeRequest,
  PipeResponseSchema,
  TxnOperation,
  TxnRequest,
  TxnResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";

type Answer = MessageInitShape<typeof PipeResponseSchema>;
type Result = NonNullable<Answer["result"]>;
type Outcome = MessageInitShape<typeof TxnResponseSchema>;
type KeyValue = MessageInitShape<typeof KeyValueSchema>;

/** Of one key with its value, and of several, as long as nobody knows. */
export const usualBytes = 16 * 1024;
const usualRangeBytes = 8 * usualBytes;

/** What a room was told of an answer, and has to have back once it was taken. */
export const answerBytes = ({ result }: Answer): number =>
  result?.case === "get" ? (result.value.value?.length ?? 0) : resultBytes(result);

/** Of all but a get, which tells the room itself. */
export function resultBytes(result: Result | undefined): number {
  switch (result?.case) {
    case "set":
    case "delete":
      return bytesOf(result.value.previous);
    case "txn":
      return outcomeBytes(result.value);
    default:
      return 0;
  }
}

/** What to expect of an answer; 0 if it has no values, or is that to a get. */
export function expectedBytes(operation: PipeRequest["operation"]): number {
  switch (operation.case) {
    case "set":
    case "delete":
      return operation.value.returnPrevious ? usualBytes : 0;
    case "txn":
      return expectedOfTxn(operation.value);
    default:
      return 0;
  }
}

const expectedOfTxn = ({ success, failure }: TxnRequest): number =>
  Math.max(expectedOfList(success), expectedOfList(failure));

const expectedOfList = (list: readonly TxnOperation[]): number =>
  list.reduce((bytes, { operation }) => bytes + expectedOfOperation(operation), 0);

function expectedOfOperation(operation: TxnOperation["operation"]): number {
  if (operation.case === undefined) return 0;
  if (operation.case === "txn") return expectedOfTxn(operation.value);
  if (operation.case === "set") return operation.value.returnPrevious ? usualBytes : 0;
  if (operation.case === "delete" && !operation.value.returnPrevious) return 0;
  return operation.value.keys?.keys.case === "key" ? usualBytes : usualRangeBytes;
}

function outcomeBytes({ results = [] }: Pick<Outcome, "results">): number {
  let bytes = 0;
  for (const { result } of results) {
    if (result?.case === "get") bytes += sum(result.value.found);
    else if (result?.case === "set") bytes += bytesOf(result.value.previous);
    else if (result?.case === "delete") bytes += sum(result.value.previous);
    else if (result?.case === "txn") bytes += outcomeBytes(result.value);
  }
  return bytes;
}

const sum = (list: readonly KeyValue[] = []): number =>
  list.reduce((bytes, each) => bytes + bytesOf(each), 0);

const bytesOf = ({ key, rawKey, value }: KeyValue = {}): number =>
  (key?.length ?? rawKey?.length ?? 0) + (value?.length ?? 0);
