/** Whose certificate will do, of all that an authority vouches for. */
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Of each list, one must be the certificate's; an empty one asks for nothing. */
export interface AllowedNames {
  readonly commonNames: readonly string[];
  /** Subject alternative names. */
  readonly hosts: readonly string[];
}

export function isAllowed(certificate: PeerCertificate, { commonNames, hosts }: AllowedNames): boolean {
  // One that has several common names has them as a list.
  const own = [certificate.subject?.CN ?? []].flat();
  if (commonNames.length > 0 && !commonNames.some((name) => own.includes(name))) return false;
  if (hosts.length === 0) return true;
  const isNamed = certificate.subjectaltname !== undefined;
  return isNamed && hosts.some((host) => checkServerIdentity(host, certificate) === undefined);
}
