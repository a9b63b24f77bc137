/** Who asks, as it was proved when the call began. Some calls go on for long, and rules change meanwhile. */
import type { User } from "@dkv/store";

export interface Asker {
  readonly name: string;
  /** Of the password that was given, or got a token; undefined: a certificate has the name. */
  readonly passwordHash: Uint8Array | undefined;
}

/** Whether the user is the one who was asking. Another one of the same name has another hash. */
export const isStill = ({ passwordHash }: Asker, user: User): boolean =>
  passwordHash === undefined || isSameHash(passwordHash, user.passwordHash);

export const isSameHash = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0;
