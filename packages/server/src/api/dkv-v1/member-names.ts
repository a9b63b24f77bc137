/** What clients call members and their addresses: refused here if it could not stand in a flag of dkv. */
import { type HostPort, formatAddress, parseHostPort } from "../../platform/address.ts";
import { DkvError } from "../../platform/errors.ts";
import { StartupError } from "../../platform/startup-error.ts";

const maxNameBytes = 255;

/**
 * The name, if a member can be called so. Throws a DkvError `invalidRequest`.
 *
 * @param field of the request, for the complaint
 */
export function checkedName(name: string, field: string): string {
  if (name === "") throw refused(`${field} is empty: write the name of a member, such as dkv-3`);
  if (!name.isWellFormed() || Buffer.byteLength(name) > maxNameBytes) {
    throw refused(`${field} is no name: write Unicode text of at most ${String(maxNameBytes)} bytes`);
  }
  // --initial-cluster has commas between members and = after a name, and flags lose blanks around them.
  if (/[=,\p{Cc}\p{Zl}\p{Zp}]/u.test(name) || name.trim() !== name) {
    throw refused(
      `${field} is ${JSON.stringify(name)}: write a name without "=", commas, control characters, or blanks around it`,
    );
  }
  return name;
}

/** The address as all members write it, if the others can dial it. Throws a DkvError `invalidRequest`. */
export function checkedAddress(text: string): string {
  if (text === "") throw refused("address is empty: write HOST:PORT, such as localhost:2383");
  const address = parsed(text);
  if (address.host === undefined || address.host === "0.0.0.0" || address.host === "::") {
    throw refused(`address is "${text}": write the host too, so that the other members can dial it`);
  }
  if (address.port === 0) throw refused(`address is "${text}": write the port that the member listens on`);
  return formatAddress(address);
}

function parsed(text: string): HostPort {
  try {
    return parseHostPort(text, "address");
  } catch (error) {
    throw error instanceof StartupError ? refused(error.message, error) : error;
  }
}

function refused(message: string, cause?: Error): DkvError {
  return new DkvError("invalidRequest", message, { cause });
}
