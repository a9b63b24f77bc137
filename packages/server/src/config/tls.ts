/** How connections are secured, by the flags. Throws a StartupError of kind `usage` where they do not fit together. */
import { opensslCiphers } from "../platform/cipher-suites.ts";
import type { TlsPaths, TlsProtocol, TlsVersion } from "../platform/tls-files.ts";
import type { FlagName } from "./flags.ts";
import { usage, type ValueReader } from "./value-reader.ts";

/** Undefined for cleartext. */
export function readPeerTls(reader: ValueReader): TlsPaths | undefined {
  const isUnverified = reader.isOn("insecure-peers") && reader.optional("peer-trusted-ca-file") === undefined;
  const ca = "peer-trusted-ca-file" as const;
  const pair = ["peer-cert-file", "peer-key-file"] as const;
  const [certFile, keyFile, trustedCaFile] = reader.allOrNone(isUnverified ? pair : [...pair, ca]);
  const commonNames = reader.list("peer-cert-allowed-cn");
  const hosts = reader.list("peer-cert-allowed-hostname");
  const crlFile = reader.optional("peer-crl-file");
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined) {
    const idle = ["peer-crl-file", "peer-cert-allowed-cn", "peer-cert-allowed-hostname"] as const;
    refuseWithout(reader, idle, ca);
  }
  // Looked at without certificates too: whoever adds them later finds no mistake of long ago.
  const protocol = readProtocol(reader);
  if (certFile === undefined || keyFile === undefined) return undefined;
  const allowed = commonNames.length + hosts.length === 0 ? undefined : { commonNames, hosts };
  return { certFile, keyFile, trustedCaFile, crlFile, allowed, protocol, isUnverified };
}

/** Undefined for cleartext. */
export function readClientTls(reader: ValueReader): TlsPaths | undefined {
  const [certFile, keyFile] = reader.allOrNone(["cert-file", "key-file"]);
  const trustedCaFile = reader.optional("trusted-ca-file");
  const crlFile = reader.optional("client-crl-file");
  const hosts = reader.list("client-cert-allowed-hostname");
  if (certFile === undefined || keyFile === undefined) {
    if (trustedCaFile !== undefined) {
      throw usage(
        "--trusted-ca-file is given without --cert-file and --key-file; give all three, or none for cleartext",
      );
    }
  }
  if (trustedCaFile === undefined)
    refuseWithout(reader, ["client-crl-file", "client-cert-allowed-hostname"], "trusted-ca-file");
  const protocol = readProtocol(reader);
  if (certFile === undefined || keyFile === undefined) return undefined;
  const allowed = hosts.length === 0 ? undefined : { commonNames: [], hosts };
  return { certFile, keyFile, trustedCaFile, crlFile, allowed, protocol };
}

/** Who relies on it would be let down. */
function refuseWithout(reader: ValueReader, names: readonly FlagName[], needed: FlagName): void {
  const idle = names.find((name) => reader.optional(name) !== undefined);
  if (idle !== undefined)
    throw usage(
      `--${idle} is about certificates that nobody asks for without --${needed}: give both, or none`,
    );
}

function readProtocol(reader: ValueReader): TlsProtocol {
  const minVersion = versionIn(reader, "tls-min-version");
  const maxVersion = reader.optional("tls-max-version") && versionIn(reader, "tls-max-version");
  if (minVersion === "TLSv1.3" && maxVersion === "TLSv1.2")
    throw usage("--tls-min-version is above --tls-max-version; leave one of them out");
  const names = reader.list("cipher-suites");
  if (names.length === 0) return { ciphers: undefined, minVersion, maxVersion: maxVersion || undefined };
  const ciphers = opensslCiphers(names);
  if (ciphers.kind === "unknown")
    throw usage(
      `--cipher-suites has "${ciphers.name}", which is none that OpenSSL offers: leave it out, or write one such as ` +
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    );
  return { ciphers: ciphers.text, minVersion, maxVersion: maxVersion || undefined };
}

function versionIn(reader: ValueReader, name: "tls-min-version" | "tls-max-version"): TlsVersion {
  return reader.choice(name, ["TLS1.2", "TLS1.3"]) === "TLS1.3" ? "TLSv1.3" : "TLSv1.2";
}
