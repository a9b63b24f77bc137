/** Why a connection could not be made: from Node's and OpenSSL's codes to words for a person. */
import { connect } from "node:tls";

import type { Endpoint } from "./endpoints.ts";
import type { ConnectCode } from "./errors.ts";

export interface ConnectFailure {
  readonly code: ConnectCode;
  /** Completes "host:port: …". */
  readonly phrase: string;
  /** Whether it may pass without anyone changing a setting. */
  readonly isPassing: boolean;
}

/** What was known of the attempt when it failed. */
export interface Attempt {
  readonly endpoint: Endpoint;
  readonly isSecure: boolean;
  readonly hasClientCertificate: boolean;
}

const passing = (code: ConnectCode, phrase: string): ConnectFailure => ({ code, phrase, isPassing: true });
const lasting = (code: ConnectCode, phrase: string): ConnectFailure => ({ code, phrase, isPassing: false });

const unknownCa = lasting(
  "unknown_ca",
  "its certificate is not signed by a certificate authority that this client trusts",
);
const needsCertificate = lasting(
  "client_certificate_required",
  "it asks for a client certificate and none was given",
);
const refusedCertificate = lasting(
  "client_certificate_refused",
  "it does not accept the given client certificate",
);
const cleartext = lasting("server_speaks_cleartext", "it does not speak TLS and this client was told to");
const hostNotFound = lasting("host_not_found", "no such host");
const refused = passing("connection_refused", "connection refused");

const byNodeCode: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: refused,
  ENOENT: refused,
  ENOTFOUND: hostNotFound,
  EAI_AGAIN: passing("host_not_found", "the host's name cannot be looked up now"),
  ETIMEDOUT: passing("no_answer", "no answer"),
  EHOSTUNREACH: passing("no_answer", "the host cannot be reached"),
  ENETUNREACH: passing("no_answer", "the network cannot be reached"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  CERT_SIGNATURE_FAILURE: unknownCa,
  CERT_HAS_EXPIRED: lasting("certificate_not_valid", "its certificate has expired"),
  CERT_NOT_YET_VALID: lasting("certificate_not_valid", "its certificate is not valid yet"),
  ERR_SSL_WRONG_VERSION_NUMBER: cleartext,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: cleartext,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: needsCertificate,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refusedCertificate,
};

/**
 * Judges the error that ended an attempt, or its end without an error. Looks once more where the answer is
 * still open.
 */
export async function explain(error: unknown, attempt: Attempt): Promise<ConnectFailure> {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = byNodeCode[code];
  if (known !== undefined) return known;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return lasting("wrong_name", `its certificate is not made out to ${attempt.endpoint.host}`);
  }
  if (attempt.isSecure) return explainTls(code, error, attempt);
  if (await answersTls(attempt.endpoint)) {
    return lasting("server_speaks_tls", "it speaks TLS and this client was not told to");
  }
  return isHangUp(code)
    ? passing("not_dkv", "it hung up before it said anything")
    : lasting("not_dkv", "what answers there does not speak gRPC");
}

function explainTls(code: string, error: unknown, { hasClientCertificate }: Attempt): ConnectFailure {
  if (code.includes("ALERT_HANDSHAKE_FAILURE") || code.includes("CERTIFICATE")) {
    return hasClientCertificate ? refusedCertificate : needsCertificate;
  }
  if (isHangUp(code)) {
    // Node's own servers hang up like this on a certificate that they do not accept.
    const guess = hasClientCertificate
      ? "it does not accept the given client certificate"
      : "it asks for a client certificate";
    return passing("tls_failure", `it hung up during the TLS handshake; perhaps ${guess}`);
  }
  const message = error instanceof Error ? error.message : String(error);
  return lasting("tls_failure", `the TLS handshake failed: ${message}`);
}

const isHangUp = (code: string): boolean => ["", "ECONNRESET", "EPIPE", "ERR_SOCKET_CLOSED"].includes(code);

const probeTimeoutMs = 1000;

/**
 * Whether a TLS handshake gets anywhere. Made only after cleartext has failed, and nothing is sent over it,
 * so whom the certificate belongs to does not matter here.
 */
async function answersTls({ host, port }: Endpoint): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, rejectUnauthorized: false, timeout: probeTimeoutMs });
  socket.once("secureConnect", () => {
    resolve(true);
  });
  socket.once("error", (error: NodeJS.ErrnoException) => {
    resolve(error.code?.includes("_ALERT_") === true);
  });
  socket.once("timeout", () => {
    resolve(false);
  });
  socket.once("close", () => {
    resolve(false);
  });
  return promise.finally(() => {
    socket.destroy();
  });
}
