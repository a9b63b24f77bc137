/** Names of cipher suites, from those of IANA, which programs in Go use too, to those of OpenSSL. */
import { getCiphers } from "node:tls";

/** They belong to TLS 1.3, where they are always offered, as in Go: without one of them Node would leave it out. */
const always = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** What OpenSSL is to be told of these suites; else the first name that means nothing to it. */
export function opensslCiphers(
  names: readonly string[],
): { readonly kind: "ciphers"; readonly text: string } | { readonly kind: "unknown"; readonly name: string } {
  const known = new Set(getCiphers());
  const found = new Set(always);
  for (const name of names) {
    const own = always.includes(name) ? name : opensslName(name);
    if (own === undefined || !known.has(own.toLowerCase())) return { kind: "unknown", name };
    found.add(own);
  }
  return { kind: "ciphers", text: [...found].join(":") };
}

function opensslName(name: string): string | undefined {
  const chacha = /^TLS_ECDHE_(RSA|ECDSA)_WITH_CHACHA20_POLY1305(?:_SHA256)?$/.exec(name)?.[1];
  if (chacha !== undefined) return `ECDHE-${chacha}-CHACHA20-POLY1305`;
  const { exchange, bits, mode, hash } =
    /^TLS_(?<exchange>RSA|ECDHE_RSA|ECDHE_ECDSA)_WITH_AES_(?<bits>128|256)_(?<mode>CBC|GCM)_(?<hash>SHA\d*)$/.exec(
      name,
    )?.groups ?? {};
  if (exchange === undefined || bits === undefined || hash === undefined) return undefined;
  const parts = [
    exchange === "RSA" ? [] : [exchange.replace("_", "-")],
    `AES${bits}`,
    mode === "GCM" ? "GCM" : [],
    hash,
  ];
  return parts.flat().join("-");
}
