/** What a client says on a stream. */

/** One message, and nothing after it. */
export async function* only<Message>(message: Message): AsyncGenerator<Message> {
  yield await Promise.resolve(message);
}

/** One message, and then nothing until it is over: who ends what it says ends the answers. */
export async function* held<Message>(message: Message, over: AbortSignal): AsyncGenerator<Message> {
  yield message;
  if (over.aborted) return;
  await new Promise((resolve) => {
    over.addEventListener("abort", resolve, { once: true });
  });
}
