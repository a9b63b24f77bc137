/** Who a certificate speaks for. That its CA is trusted has been settled by TLS before. */
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { parseHostPort } from "../platform/address.ts";
import type { PeerAddress } from "./options.ts";

/**
 * Whether the certificate names `host` as a subject alternative name: undefined if so, else why not.
 * A common name alone is nothing: it is no name of a machine.
 */
export function checkHost(host: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname === undefined)
    return new Error(`the certificate has no subject alternative name; it must name ${host}`);
  return checkServerIdentity(host, certificate);
}

/**
 * Whether the certificate belongs to the member that dialled us: it names the host where we dial it, or its
 * name.
 */
export function vouchesFor(certificate: PeerCertificate, { name, peerAddress }: PeerAddress): boolean {
  const { host } = parseHostPort(peerAddress, `the peer address of ${name}`);
  return [host, name].some((known) => known !== undefined && checkHost(known, certificate) === undefined);
}
