/** A stream of messages as it comes from a member. */

/** What has come of a stream and what is to come. Somebody has to read it, or call `end`. */
export interface OpenStream<Message> {
  readonly first: Message | undefined;
  /** Undefined after the last. @throws DkvClientError */
  next(): Promise<Message | undefined>;
  /** Nothing more is wanted. */
  end(): void;
}

/**
 * Waits for the first message, so that whatever a member can refuse it has refused.
 *
 * @param signal ends the wait for the first message, and nothing after it
 * @param translate what the stream throws
 */
export async function openStream<Message>(
  open: (signal: AbortSignal) => AsyncIterable<Message>,
  signal: AbortSignal,
  translate: (error: unknown) => unknown,
): Promise<OpenStream<Message>> {
  const ending = new AbortController();
  const onAbort = (): void => {
    ending.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const messages = open(ending.signal)[Symbol.asyncIterator]();
  const next = async (): Promise<Message | undefined> => {
    try {
      const message = await messages.next();
      return message.done === true ? undefined : message.value;
    } catch (error) {
      throw translate(error);
    }
  };
  try {
    const first = await next();
    return {
      first,
      next,
      end: () => {
        ending.abort();
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
