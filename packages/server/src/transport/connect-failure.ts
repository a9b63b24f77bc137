/** Why a connection between members failed: from Node's and OpenSSL's codes to words for a person. */

const unknownCa = "its certificate is not signed by a certificate authority that this member trusts";
const refused = "it does not accept this member's certificate";
const older = "it and this member have no version of TLS in common";

/** Completes "host:port: …". Whoever is not listed here is told with OpenSSL's own words. */
const byCode: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  CERT_SIGNATURE_FAILURE: unknownCa,
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS and this member was told to",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS and this member was told to",
  ERR_SSL_HTTP_REQUEST: "it does not speak TLS and this member was told to",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "it was asked for a certificate and gave none",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it asks for a certificate and none was given",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refused,
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": refused,
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED": refused,
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN": refused,
  "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE": `it refused the TLS handshake; perhaps ${refused}`,
  ERR_SSL_UNSUPPORTED_PROTOCOL: older,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: older,
};

/** What is known when a peer has gone away in the middle of a handshake, or right after its own half of it. */
export const hungUp = `it hung up during the TLS handshake; perhaps ${refused}, or it does not speak TLS`;

/** The same of a peer that was spoken to in clear. */
export const hungUpInClear =
  "it hung up before it said anything; perhaps it speaks TLS and this member was not told to";

/** In words, with the code where there is one. Errors of other kinds keep their text. */
export function describeFailure(error: Error): string {
  // An attempt at several addresses of a name fails with all their errors, and no text of its own.
  if (error instanceof AggregateError) {
    const parts = error.errors.map((one) => (one instanceof Error ? describeFailure(one) : String(one)));
    return parts.join("; ");
  }
  const code = "code" in error ? String(error.code) : "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `${wrongName(error)} (${code})`;
  // Node's own text, for which it has no code of its own.
  if (error.message.startsWith("Client network socket disconnected")) return `${hungUp} (${code})`;
  const reason = byCode[code] ?? (code.startsWith("ERR_SSL_") ? handshakeFailed(error) : undefined);
  return reason === undefined ? error.message : `${reason} (${code})`;
}

/** Of a handshake that failed on the side that was dialled. */
export function describeRefusal(error: Error): string {
  const isGone = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
  return isGone ? `${hungUp} (${String(error.code)})` : describeFailure(error);
}

/** Of a certificate that was not accepted, by OpenSSL's name for what is wrong with it. */
export function describeCertificate(code: string): string {
  return `${byCode[code] ?? "its certificate is not accepted"} (${code})`;
}

function wrongName(error: Error): string {
  const { host, cert } = error as Error & {
    readonly host?: string;
    readonly cert?: { readonly subjectaltname?: string };
  };
  return `its certificate is not made out to ${host ?? "its host"}, but to ${cert?.subjectaltname ?? "nobody"}`;
}

/** OpenSSL's message has its own memory addresses and source lines in it. */
function handshakeFailed(error: Error): string {
  const reason = "reason" in error ? String(error.reason) : error.message.trim();
  return `the TLS handshake failed: ${reason}`;
}
