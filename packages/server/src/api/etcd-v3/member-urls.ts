/** Members have one address to dkv, host and port; to clients of etcd, URLs. */
import { formatAddress, parseHostPort } from "../../platform/address.ts";
import { StartupError } from "../../platform/startup-error.ts";
import { etcdError } from "./errors.ts";

export type Scheme = "http" | "https";

/** No URLs for an address that is not known. */
export const urlsOf = (scheme: Scheme, address: string): string[] =>
  address === "" ? [] : [`${scheme}://${address}`];

/** The address in the one URL that a member may have. Throws an error of etcd. */
export function addressIn(urls: readonly string[]): string {
  const [url, ...others] = urls;
  const address = others.length === 0 ? /^https?:\/\/([^/]+)\/?$/.exec(url ?? "")?.[1] : undefined;
  if (address === undefined) throw etcdError("memberBadUrls");
  try {
    const parsed = parseHostPort(address, "URL");
    if (parsed.host === undefined || parsed.port === 0) throw etcdError("memberBadUrls");
    return formatAddress(parsed);
  } catch (error) {
    throw error instanceof StartupError ? etcdError("memberBadUrls") : error;
  }
}
