/**
 * Makes X.509 certificates. RSA, because node-forge signs with nothing else; used only to make them:
 * what a certificate is worth is always judged by Node's own OpenSSL.
 */
import { generateKeyPair, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import forge from "node-forge";
import { timeOfDay } from "./platform/time.ts";

const { pki } = forge;
const dayMs = 86_400_000;

/** Ten years: replacing the CA means replacing every certificate everywhere. */
const authorityDays = 3650;

/** The longest that all common clients accept from a server. */
const certificateDays = 825;

/** Certificates begin in the past, so that machines whose clocks are behind accept them. */
const clockSkewMs = 3_600_000;

/** A certificate and its private key, both PEM. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

/** What the holder of a certificate may be in a TLS handshake. */
export type Usage = "serverAuth" | "clientAuth";

export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names and IP addresses, IPv6 without brackets. */
  readonly hosts: readonly string[];
  readonly usages: readonly Usage[];
  /** From when it counts; now by default. */
  readonly from?: Date;
  /** 825 by default. */
  readonly days?: number;
}

/** Makes a self-signed CA that may sign end certificates and no further CA. */
export async function createAuthority(from: Date = timeOfDay()): Promise<Credentials> {
  const { certificate, key } = await draft("dkv CA", from, authorityDays);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
    authorityKeyIdentifier(certificate),
  ]);
  return sign(certificate, key, key);
}

/** Makes a key and a certificate for it, signed by the authority. */
export async function issueCertificate(
  authority: Credentials,
  request: CertificateRequest,
): Promise<Credentials> {
  const issuer = pki.certificateFromPem(authority.certificate);
  const { certificate, key } = await draft(
    request.commonName,
    request.from ?? timeOfDay(),
    request.days ?? certificateDays,
  );
  certificate.setIssuer(issuer.subject.attributes);
  const usages = Object.fromEntries(request.usages.map((usage) => [usage, true]));
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: false },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", ...usages },
    { name: "subjectKeyIdentifier" },
    authorityKeyIdentifier(issuer),
    ...(request.hosts.length === 0
      ? []
      : [{ name: "subjectAltName", altNames: request.hosts.map(alternativeName) }]),
  ]);
  return sign(certificate, key, authority.key);
}

async function draft(commonName: string, from: Date, days: number) {
  const key = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(key.publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(from.getTime() - clockSkewMs);
  certificate.validity.notAfter = new Date(from.getTime() + days * dayMs);
  certificate.setSubject([
    { name: "organizationName", value: "dkv" },
    { name: "commonName", value: commonName },
  ]);
  return { certificate, key: key.privateKey };
}

function sign(certificate: forge.pki.Certificate, key: string, issuerKey: string): Credentials {
  certificate.sign(pki.privateKeyFromPem(issuerKey), forge.md.sha256.create());
  return { certificate: withUnixLineEnds(pki.certificateToPem(certificate)), key };
}

/** 16 bytes in hex. The first bits are 01: a set first bit would make the number negative. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function authorityKeyIdentifier(issuer: forge.pki.Certificate) {
  return { name: "authorityKeyIdentifier", keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() };
}

/** The types are those of RFC 5280's GeneralName: 7 is an IP address, 2 a DNS name. */
function alternativeName(host: string) {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };
}

function withUnixLineEnds(pem: string): string {
  return pem.replaceAll("\r\n", "\n");
}
