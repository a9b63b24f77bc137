/** A class of errors. Its constructor may take anything. */
export type ErrorClass = abstract new (...parts: never[]) => Error;

/** What `read` gives; undefined if it refuses with one of the declared errors. Any other is thrown on. */
export function readOrRefused<Value>(
  read: () => Value,
  ...declared: readonly ErrorClass[]
): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (declared.some((one) => error instanceof one)) return undefined;
    throw error;
  }
}
