/** Keeps a directory of certificates for one cluster: makes what is missing and leaves what still fits. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { createAuthority, issueCertificate, type Credentials, type Usage } from "./certificate.ts";
import { timeOfDay } from "./platform/time.ts";

/** A certificate is replaced this long before it expires. */
const renewalMs = 30 * 86_400_000;

/** Where a cluster on one machine is reached. */
const localHosts = ["localhost", "127.0.0.1", "::1"];

const roles = [
  // A member dials its peers and is dialled by them, with the same certificate.
  { name: "peer", usages: ["serverAuth", "clientAuth"], namesHosts: true },
  { name: "server", usages: ["serverAuth"], namesHosts: true },
  { name: "client", usages: ["clientAuth"], namesHosts: false },
] as const satisfies readonly { name: string; usages: readonly Usage[]; namesHosts: boolean }[];

/** Something that only the user can put right, in one line. */
export class CertificatesError extends Error {
  override readonly name = "CertificatesError";
  /** `usage`: what was asked for is wrong; `environment`: what is in the directory is. */
  readonly kind: "usage" | "environment";

  constructor(kind: "usage" | "environment", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface MakeOptions {
  readonly directory: string;
  /** Names and addresses besides localhost. Those of an earlier run stay. */
  readonly hosts: readonly string[];
  /** The time of day by default. */
  readonly now?: Date;
}

/** Paths of certificates; the key of `x.pem` is in `x-key.pem`. */
export interface MakeResult {
  readonly made: string[];
  readonly kept: string[];
}

/**
 * Makes ca.pem, peer.pem, server.pem and client.pem with their keys. Safe to run again: the CA stays
 * until it is about to expire, and the others as long as they fit. Throws CertificatesError.
 */
export async function makeCertificates({
  directory,
  hosts,
  now = timeOfDay(),
}: MakeOptions): Promise<MakeResult> {
  const wanted = [...localHosts, ...hosts.map(checkedHost)];
  const result: MakeResult = { made: [], kept: [] };
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new CertificatesError("environment", `${directory} cannot be made: ${text(error)}`, {
      cause: error,
    });
  });
  const authority = await settleAuthority(directory, now, result);
  for (const role of roles) {
    const path = join(directory, `${role.name}.pem`);
    const old = await read(directory, role.name);
    const certificate = old === undefined ? undefined : parse(old);
    const names = role.namesHosts ? union(hostsOf(certificate), wanted) : [];
    if (
      old !== undefined &&
      certificate !== undefined &&
      fits({ certificate, key: old.key, authority, names, now })
    ) {
      result.kept.push(path);
      continue;
    }
    const request = { commonName: `dkv ${role.name}`, hosts: names, usages: role.usages, from: now };
    await write(directory, role.name, await issueCertificate(authority, request));
    result.made.push(path);
  }
  return result;
}

/** The CA of the directory. One that is damaged is never replaced: certificates elsewhere hang on it. */
async function settleAuthority(directory: string, now: Date, result: MakeResult): Promise<Credentials> {
  const path = join(directory, "ca.pem");
  const old = await read(directory, "ca");
  if (old !== undefined) {
    const certificate = parse(old);
    if (certificate === undefined || !isKeyOf(certificate, old.key)) {
      const remedy = `put both back from a copy, or remove ${path} and its key to make a new CA and all certificates anew`;
      throw new CertificatesError(
        "environment",
        `${path} and ${join(directory, "ca-key.pem")} do not belong together; ${remedy}`,
      );
    }
    if (!isExpiring(certificate, now)) {
      result.kept.push(path);
      return old;
    }
  }
  const authority = await createAuthority(now);
  await write(directory, "ca", authority);
  result.made.push(path);
  return authority;
}

interface Candidate {
  readonly certificate: X509Certificate;
  readonly key: string;
  readonly authority: Credentials;
  readonly names: readonly string[];
  readonly now: Date;
}

function fits({ certificate, key, authority, names, now }: Candidate): boolean {
  const issuer = new X509Certificate(authority.certificate);
  const issued = certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  const covered = hostsOf(certificate);
  return (
    issued &&
    isKeyOf(certificate, key) &&
    !isExpiring(certificate, now) &&
    names.every((name) => covered.includes(name))
  );
}

function isKeyOf(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Not a key at all.
    return false;
  }
}

function isExpiring(certificate: X509Certificate, now: Date): boolean {
  return certificate.validToDate.getTime() - now.getTime() < renewalMs;
}

/** Undefined for what is no certificate: it is then replaced, or complained about. */
function parse({ certificate }: Credentials): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

/** Names and addresses that a certificate stands for, in the form in which they are asked for. */
function hostsOf(certificate: X509Certificate | undefined): readonly string[] {
  const items = certificate?.subjectAltName?.split(", ") ?? [];
  return items.flatMap((item) => /^(?:DNS|IP Address):(.+)$/.exec(item)?.[1] ?? []).map(canonicalHost);
}

function union(first: readonly string[], second: readonly string[]): readonly string[] {
  return [...new Set([...first, ...second])];
}

function checkedHost(host: string): string {
  const isName =
    host.length <= 253 &&
    /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(host);
  if (isIP(host) === 0 && (!isName || /(^|\.)\d+$/.test(host))) {
    throw new CertificatesError(
      "usage",
      `"${host}" is neither a host name nor an IP address; write it without port and brackets`,
    );
  }
  return canonicalHost(host);
}

/** Lower case; IPv6 in its shortest form, in which certificates are not shown: 0:0:0:0:0:0:0:1 is ::1. */
function canonicalHost(host: string): string {
  return isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host.toLowerCase();
}

async function read(directory: string, name: string): Promise<Credentials | undefined> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(directory, `${name}.pem`)),
    readIfThere(join(directory, `${name}-key.pem`)),
  ]);
  return certificate === undefined && key === undefined
    ? undefined
    : { certificate: certificate ?? "", key: key ?? "" };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CertificatesError("environment", `${path} cannot be read: ${text(error)}`, { cause: error });
  }
}

/** Key first: if the certificate then fails to follow, the next run sees that they differ and issues both. */
async function write(directory: string, name: string, { certificate, key }: Credentials): Promise<void> {
  await replaceFile(join(directory, `${name}-key.pem`), key, 0o600);
  await replaceFile(join(directory, `${name}.pem`), certificate, 0o644);
}

async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${String(process.pid)}.new`;
  try {
    await writeFile(draft, content, { mode, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw new CertificatesError("environment", `${path} cannot be written: ${text(error)}`, { cause: error });
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
