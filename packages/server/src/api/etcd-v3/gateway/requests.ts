/** Messages out of the body of a request. */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { SizeLimit } from "../../unary-method.ts";
import { bytesOfText } from "./json-messages.ts";

export interface MessageTerms {
  readonly input: DescMessage;
  readonly limit: SizeLimit;
}

/** The first one; of an empty body one that is empty. Throws a ConnectError, or what the limits say. */
export async function firstMessage(texts: AsyncIterable<string>, terms: MessageTerms): Promise<Uint8Array> {
  for await (const text of texts) return messageOf(text, terms);
  return messageOf("null", terms);
}

/**
 * All of them, one behind the other. Resolves once the first one is there, or there is none; rejects if that
 * is no message. With a later one that is none the requests are over: nobody could be told.
 */
export async function allMessages(
  texts: AsyncIterable<string>,
  terms: MessageTerms,
): Promise<AsyncIterable<Uint8Array>> {
  const messages = messagesOf(texts, terms);
  try {
    return withFirst(await messages.next(), messages);
  } catch (error) {
    // As if the call had never come to the method.
    throw isMalformed(error) ? new ConnectError(error.rawMessage, Code.Unknown) : error;
  }
}

async function* messagesOf(texts: AsyncIterable<string>, terms: MessageTerms): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield messageOf(text, terms);
}

async function* withFirst(
  first: IteratorResult<Uint8Array>,
  others: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done === true) return;
  yield first.value;
  try {
    yield* others;
  } catch (error) {
    if (!isMalformed(error)) throw error;
  }
}

function messageOf(text: string, { input, limit }: MessageTerms): Uint8Array {
  const bytes = bytesOfText(input, text);
  if (bytes.length > limit.maxBytes) throw limit.tooLarge(bytes.length);
  return bytes;
}

const isMalformed = (error: unknown): error is ConnectError =>
  error instanceof ConnectError && error.code === Code.InvalidArgument;
