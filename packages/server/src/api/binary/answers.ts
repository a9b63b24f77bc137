/** Answers of the binary protocol: a status, and behind that of a GET a value with its length before it. */
export const statuses = {
  ok: Buffer.of(1),
  error: Buffer.of(2),
} as const;

const emptyLength = Buffer.alloc(4);

export const getAnswers = {
  error: Buffer.concat([statuses.error, emptyLength]),
  notFound: Buffer.concat([Buffer.of(3), emptyLength]),
} as const;

export function foundAnswer(value: Uint8Array): readonly Buffer[] {
  const head = Buffer.allocUnsafe(5);
  statuses.ok.copy(head);
  head.writeInt32LE(value.length, 1);
  return [head, Buffer.from(value.buffer, value.byteOffset, value.byteLength)];
}
