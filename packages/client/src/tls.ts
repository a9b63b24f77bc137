import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { isUint8Array } from "node:util/types";

import { badConfiguration } from "./errors.ts";
import { sleep } from "./platform/time.ts";

/**
 * PEM text, given as a file to read at each connection (so that renewed files are seen) or as its content.
 */
export interface TlsOptions {
  /** Trusted instead of the certificate authorities that Node knows. */
  readonly caFile?: string | undefined;
  readonly ca?: string | Uint8Array | undefined;
  /** The client's certificate, for members that ask for one. Needs a key. */
  readonly certFile?: string | undefined;
  readonly cert?: string | Uint8Array | undefined;
  readonly keyFile?: string | undefined;
  readonly key?: string | Uint8Array | undefined;
}

/** Whether a certificate of this client's own is configured. */
export function hasClientCertificate({ certFile, cert }: TlsOptions): boolean {
  return certFile !== undefined || cert !== undefined;
}

/** Refuses half-given credentials, and what is no content of a file. @throws DkvClientError `bad_configuration` */
export function checkTls(options: TlsOptions): void {
  const hasKey = options.keyFile !== undefined || options.key !== undefined;
  if (hasClientCertificate(options) && !hasKey)
    throw badConfiguration("a client certificate is given without its key");
  if (hasKey && !hasClientCertificate(options))
    throw badConfiguration("a client key is given without its certificate");
  for (const name of ["ca", "cert", "key"] as const) {
    const content = options[name];
    if (content !== undefined && !isPem(content))
      throw badConfiguration(`tls.${name} is no PEM text: to name a file, write tls.${name}File`);
  }
}

function isPem(content: unknown): boolean {
  return (typeof content === "string" || isUint8Array(content)) && Buffer.from(content).includes(pemBegin);
}

const pemBegin = "-----BEGIN ";

/** How long it may take to replace a key once its certificate is replaced, or the other way round. */
const replacementMs = 200;

/**
 * Reads the files. @throws DkvClientError `bad_configuration` that names the file and what is wrong with it
 */
export async function loadTls(options: TlsOptions): Promise<SecureContext> {
  try {
    return await readOnce(options);
  } catch (error) {
    const isFromFiles = options.certFile !== undefined || options.keyFile !== undefined;
    if (!isFromFiles || !(error instanceof Error) || !isMismatch(error.cause)) throw error;
    await sleep(replacementMs);
    return readOnce(options);
  }
}

async function readOnce(options: TlsOptions): Promise<SecureContext> {
  const [ca, cert, key] = await Promise.all([
    pem("CA certificate", options.ca, options.caFile),
    pem("client certificate", options.cert, options.certFile),
    pem("client key", options.key, options.keyFile),
  ]);
  try {
    return createSecureContext({
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      minVersion: "TLSv1.2",
    });
  } catch (error) {
    const files = [options.caFile, options.certFile, options.keyFile]
      .filter((file) => file !== undefined)
      .join(", ");
    throw badConfiguration(`cannot use the TLS files ${files}: ${reasonOf(error)}`, { cause: error });
  }
}

async function pem(
  what: string,
  content: string | Uint8Array | undefined,
  file: string | undefined,
): Promise<Buffer | undefined> {
  if (content !== undefined) return Buffer.from(content);
  if (file === undefined) return undefined;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw badConfiguration(`cannot read the ${what} ${file}: ${reasonOf(error)}`, { cause: error });
  });
  // OpenSSL takes a CA file without any certificate in it for an empty list and trusts nobody.
  if (!bytes.includes(pemBegin)) throw badConfiguration(`the ${what} ${file} is not a PEM file`);
  return bytes;
}

const mismatch = "ERR_OSSL_X509_KEY_VALUES_MISMATCH";

/** One of the two may have been read before its replacement, and the other after. */
function isMismatch(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === mismatch;
}

const readable: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  [mismatch]: "the key does not belong to the certificate",
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return readable[code] ?? error.message;
}
