/**
 * Whether a connection would still be made. TLS judges certificates when a connection begins, and never
 * again; but a CA that is taken out of the file of trusted ones is to be trusted no more, on old connections
 * neither.
 */
import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import { certificatesIn, type TlsMaterial } from "./tls-files.ts";

/** How long others may take to notice that the same files have changed where they are, and to come again. */
export const trustGraceMs = 10_000;

/** Nobody has as many CAs one below the other. */
const longestChain = 10;

type Files = Pick<TlsMaterial, "cert" | "ca">;

/**
 * Whether the other side's certificate is from one of the authorities, at once or through other
 * certificates: those that it has shown, as far as Node tells, or those that come with our own. One that has
 * shown none is not in question: whether it needs one was settled. A mistake costs an honest one no more than
 * a new connection.
 */
export function isTrusted(socket: Duplex, files: Files): boolean {
  const [shown, ...others] = socket instanceof TLSSocket ? shownBy(socket) : [];
  return shown === undefined || isFromAuthority(shown, files, others);
}

/**
 * Whether to make the connection anew, before others do not trust it any more: with what the files hold now
 * it would begin with another certificate, and the one that it began with has lost its CA; or the other
 * side's has.
 */
export function isOutdated(socket: Duplex, files: Files): boolean {
  const own = socket instanceof TLSSocket ? socket.getX509Certificate() : undefined;
  if (own === undefined) return false;
  const isSame = own.fingerprint256 === new X509Certificate(files.cert).fingerprint256;
  return !isTrusted(socket, files) || (!isSame && !isFromAuthority(own, files, []));
}

/**
 * The other side's certificate, and behind it those that Node takes for its issuers: by their names, so they
 * may be none. Not getPeerX509Certificate, which knows no certificate any more when it is called again (Node
 * 24).
 */
function shownBy(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (; next?.raw !== undefined && chain.length < longestChain; next = next.issuerCertificate)
    chain.push(new X509Certificate(next.raw));
  return chain;
}

function isFromAuthority(
  certificate: X509Certificate,
  { cert, ca }: Files,
  shown: readonly X509Certificate[],
): boolean {
  if (ca === undefined) return true;
  const authorities = parse(ca);
  const others = [...shown, ...parse(cert)];
  let last = certificate;
  for (let length = 0; length < longestChain; length += 1) {
    const isIssuer = (candidate: X509Certificate): boolean =>
      last.checkIssued(candidate) && last.verify(candidate.publicKey);
    if (authorities.some(isIssuer)) return true;
    const next = others.find(isIssuer);
    if (next === undefined) return false;
    last = next;
  }
  return false;
}

const parse = (bundle: Buffer): readonly X509Certificate[] =>
  certificatesIn(bundle).map((pem) => new X509Certificate(pem));
