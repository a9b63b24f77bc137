/** Gives a token for a name and a password. */
import type { AuthState } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import { type Guard, wrongPassword } from "./guard.ts";

export interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

/** Rules do not change as often while one password is looked at. */
const mostAttempts = 10;

/** Rejects with a DkvError. Goes by rules that are no older than the call. */
export async function authenticate(
  { name, password }: NameAndPassword,
  { member, passwords, tokens }: Guard,
  timeoutMs: number | undefined,
): Promise<string> {
  await member.readBarrier(timeoutMs);
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    const auth: AuthState = member.auth;
    if (!auth.isEnabled)
      throw new DkvError("authNotEnabled", "authentication is not enabled: nobody needs a token");
    const user = auth.users.get(name);
    const isRight = await passwords.matches(
      password,
      user?.noPassword === true ? undefined : user?.passwordHash,
    );
    if (!isRight || user === undefined) throw wrongPassword();
    // What was right may be wrong by now.
    if (member.auth.users.get(name) === user) return tokens.issue(user, member.auth.revision);
  }
  throw new DkvError("overloaded", "the rules change too often: try again in a moment");
}
