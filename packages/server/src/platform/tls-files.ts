/** Certificates and keys as files: read with plain complaints, and read again when they change. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import type { AllowedNames } from "./allowed-names.ts";
import type { Cancel, Clock } from "./clock.ts";
import { StartupError } from "./startup-error.ts";
import { whyUnreadable } from "./unreadable.ts";

export interface TlsPaths {
  readonly certFile: string;
  readonly keyFile: string;
  /** Whom to trust instead of the machine's list of authorities. */
  readonly trustedCaFile: string | undefined;
  /** Which certificates were taken back, as PEM or DER. It must speak for every CA that certificates come from. */
  readonly crlFile?: string | undefined;
  /** Whose certificates will do, of those that are trusted; any unless said otherwise. */
  readonly allowed?: AllowedNames | undefined;
  /** What connections may be secured with; Node's choice unless said otherwise. */
  readonly protocol?: TlsProtocol | undefined;
  /** Whether anybody's certificate will do: for members that each make their own. */
  readonly isUnverified?: boolean | undefined;
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface TlsProtocol {
  /** As OpenSSL writes them, with a colon between each. */
  readonly ciphers: string | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion | undefined;
}

/** What the files hold, PEM, and how it is used, as Node's options. Known to fit together. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly crl?: string;
  readonly ciphers?: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** Set if anybody's certificate will do. */
  readonly rejectUnauthorized?: false;
}

const pollMs = 2_000;

/** A certificate that is about to expire is worth a warning this long before. */
const expiryWarningMs = 14 * 86_400_000;

/**
 * Throws a StartupError of kind `environment` whose one line names the file and what is wrong with it.
 *
 * @param flags how the flags begin that name the files, for a complaint that names them too
 */
export function readTlsMaterial(paths: TlsPaths, flags?: "--" | "--peer-"): TlsMaterial {
  const { certFile, keyFile, trustedCaFile } = paths;
  const called = (file: string, flag: string): string =>
    flags === undefined ? file : `${flags}${flag} ${file}`;
  const certName = called(certFile, "cert-file");
  const keyName = called(keyFile, "key-file");
  const cert = readPem(certFile, certName);
  const key = readPem(keyFile, keyName);
  checkPair({ cert, certName, key, keyName });
  const ca =
    trustedCaFile === undefined
      ? undefined
      : readAuthorities(trustedCaFile, called(trustedCaFile, "trusted-ca-file"));
  const { ciphers, minVersion = "TLSv1.2", maxVersion } = paths.protocol ?? {};
  const material: TlsMaterial = {
    cert,
    key,
    ca,
    ...(paths.crlFile !== undefined && {
      crl: readRevocations(
        paths.crlFile,
        called(paths.crlFile, flags === "--" ? "client-crl-file" : "crl-file"),
      ),
    }),
    ...(ciphers !== undefined && { ciphers }),
    minVersion,
    ...(maxVersion !== undefined && { maxVersion }),
    ...(paths.isUnverified === true && { rejectUnauthorized: false }),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    // Sound files of which OpenSSL thinks little, such as a key that is too short.
    throw broken(`${certName} and ${keyName} cannot be used for TLS: ${messageOf(error)}`, error);
  }
  return material;
}

/**
 * Looks at the files every few seconds and hands over what they hold when that changed and is sound.
 * What is not sound is logged, once, and what was there before stays in use.
 */
export function watchTlsMaterial(
  paths: TlsPaths,
  deps: { clock: Clock; logger: Logger },
  onChange: (material: TlsMaterial) => void,
): Cancel {
  const { clock, logger } = deps;
  const { certFile } = paths;
  let seen = fingerprint(paths);
  warnOfExpiry(certFile, logger);
  return clock.every(pollMs, () => {
    const now = fingerprint(paths);
    if (now === seen) return;
    seen = now;
    try {
      onChange(readTlsMaterial(paths));
      logger.info({ certFile }, "certificates changed; new connections use them");
      warnOfExpiry(certFile, logger);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      logger.warn({ reason: error.message }, "certificates changed and cannot be used; the old ones stay");
    }
  });
}

/** Changes whenever a file is rewritten or replaced; a missing one has a fingerprint too. */
function fingerprint({ certFile, keyFile, trustedCaFile, crlFile }: TlsPaths): string {
  return [certFile, keyFile, trustedCaFile, crlFile]
    .filter((file) => file !== undefined)
    .map((file) => {
      const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
      return stats === undefined ? "missing" : [stats.ino, stats.mtimeNs, stats.size].join("-");
    })
    .join(" ");
}

function readAuthorities(file: string, name: string): Buffer {
  const ca = readPem(file, name);
  for (const certificate of certificatesIn(ca)) parseCertificate(certificate, name);
  return ca;
}

/** PEM, which is all that Node takes. */
function readRevocations(file: string, name: string): string {
  const bytes = readPem(file, name);
  const text = bytes.toString("latin1");
  const pem = text.includes("-----BEGIN X509 CRL-----")
    ? text
    : `-----BEGIN X509 CRL-----\n${bytes.toString("base64")}\n-----END X509 CRL-----\n`;
  try {
    createSecureContext({ crl: pem });
  } catch (error) {
    throw broken(`${name} holds no list of revoked certificates`, error);
  }
  return pem;
}

/** @param name of the file in a complaint */
function readPem(file: string, name = file): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw broken(`${name} ${whyUnreadable(error)}`, error);
  }
}

interface Pair {
  readonly cert: Buffer;
  readonly certName: string;
  readonly key: Buffer;
  readonly keyName: string;
}

function checkPair({ cert, certName, key, keyName }: Pair): void {
  const certificate = parseCertificate(cert, certName);
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw broken(`${keyName} holds no private key in PEM form without a passphrase`, error);
  }
  if (!fits)
    throw new StartupError(
      "environment",
      `the key in ${keyName} does not belong to the certificate in ${certName}`,
    );
}

function parseCertificate(pem: string | Buffer, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw broken(`${name} holds no certificate in PEM form`, error);
  }
}

/** Each certificate of a bundle, PEM; what is none comes back whole, so that parsing it can complain. */
export function certificatesIn(bundle: Buffer): readonly string[] {
  const text = bundle.toString("latin1");
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [text];
}

function warnOfExpiry(certFile: string, logger: Logger): void {
  const expiry = parseCertificate(readPem(certFile), certFile).validToDate;
  const leftMs = expiry.getTime() - Date.now();
  if (leftMs > expiryWarningMs) return;
  const message =
    leftMs > 0
      ? "the certificate expires soon; replace the file"
      : "the certificate has expired; others will refuse it";
  logger.warn({ certFile, expiry: expiry.toISOString() }, message);
}

function broken(message: string, cause: unknown): StartupError {
  return new StartupError("environment", message, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
