/** What the words of a command have to be like: looked at before anybody is asked. */
import { usageError } from "./exit.ts";

type Check = (text: string) => string | undefined;

const checks: Readonly<Record<string, Check>> = {
  KEY: unlessEmpty("a key has at least one byte"),
  ID: unlessEmpty("write the name of a member, such as dkv-3"),
  OLD: unlessEmpty("write the name of the member that leaves, such as dkv-2"),
  NEW: unlessEmpty("write the name of the member that comes, such as dkv-3"),
  ADDRESS: addressTrouble,
  FILE: unlessEmpty("write the name of a file, such as backup.dkv"),
  NAME: unlessEmpty("write any name"),
  USER: unlessEmpty("write the name of a user"),
  ROLE: unlessEmpty("write the name of a role"),
  END: unlessEmpty("leave it out, or write --from-key for all keys from KEY on"),
};

/**
 * @param operands by name, as the command line has them
 * @param mayBeEmpty a name whose text may
 * @throws Exit about the first that cannot be meant
 */
export function checkOperands(
  operands: Readonly<Record<string, string | undefined>>,
  mayBeEmpty?: string,
): void {
  for (const [name, text] of Object.entries(operands)) {
    if (text === undefined) continue;
    checkText(name, text);
    if (text === "" && name === mayBeEmpty) continue;
    const trouble = checks[name]?.(text);
    if (trouble !== undefined) throw usageError(`${name} is ${trouble}`);
  }
}

/**
 * Node puts U+FFFD in place of bytes that are not UTF-8, so a word with it in may be another than the one
 * that was typed. What was meant is gone; guessing would read or overwrite a wrong key.
 */
function checkText(name: string, text: string): void {
  if (!text.includes("\u{FFFD}")) return;
  throw usageError(
    name === "VALUE"
      ? "the value is not valid UTF-8: give it on standard input, as in dkvctl set KEY - < FILE"
      : `${name} is not valid UTF-8: write it in UTF-8, and without the character U+FFFD, which looks the same here`,
  );
}

function unlessEmpty(advice: string): Check {
  return (text) => (text === "" ? `empty: ${advice}` : undefined);
}

/** Where others dial, so with a host and a port. Whether the host can be one is for the members to say. */
function addressTrouble(text: string): string | undefined {
  const { port } = /^(?:\[[^\]]+\]|[^[\]:]+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (Number(port) >= 1 && Number(port) <= 65_535) return undefined;
  const given = text === "" ? "empty" : `"${text}"`;
  return `${given}: write HOST:PORT, such as localhost:2383 or [::1]:2383, where the other members dial it`;
}
