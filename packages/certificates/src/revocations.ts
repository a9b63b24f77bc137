/** Makes lists of revoked certificates. Source: RFC 5280, section 5. */
import { X509Certificate } from "node:crypto";
import forge from "node-forge";
import type { Credentials } from "./certificate.ts";
import { timeOfDay } from "./platform/time.ts";

const { asn1, md, pki } = forge;
const { Class, Type } = asn1;

const sha256WithRsa = "1.2.840.113549.1.1.11";

/** It counts a little earlier, for clocks that are behind. */
const clockSkewMs = 3_600_000;

const listMs = 365 * 86_400_000;

/** A list that the authority has signed, PEM. It counts from an hour ago, for a year. */
export function revoke(authority: Credentials, certificates: readonly string[]): string {
  const [from, until] = [timeOfDay(), timeOfDay()];
  from.setTime(from.getTime() - clockSkewMs);
  until.setTime(until.getTime() + listMs);
  const revoked = certificates.map((pem) =>
    sequence([integer(new X509Certificate(pem).serialNumber), time(from)]),
  );
  const list = sequence([
    integer("01"),
    algorithm(),
    pki.distinguishedNameToAsn1(pki.certificateFromPem(authority.certificate).subject),
    time(from),
    time(until),
    ...(revoked.length === 0 ? [] : [sequence(revoked)]),
  ]);
  const digest = md.sha256.create().update(asn1.toDer(list).getBytes());
  const signature = pki.privateKeyFromPem(authority.key).sign(digest);
  const signed = sequence([list, algorithm(), primitive(Type.BITSTRING, `\0${signature}`)]);
  const body = Buffer.from(asn1.toDer(signed).getBytes(), "latin1").toString("base64");
  return `-----BEGIN X509 CRL-----\n${body.replaceAll(/.{64}/g, "$&\n")}\n-----END X509 CRL-----\n`;
}

const sequence = (values: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, values);

const primitive = (type: forge.asn1.Type, bytes: string): forge.asn1.Asn1 =>
  asn1.create(Class.UNIVERSAL, type, false, bytes);

const integer = (hex: string): forge.asn1.Asn1 => primitive(Type.INTEGER, forge.util.hexToBytes(hex));

const time = (date: Date): forge.asn1.Asn1 => primitive(Type.UTCTIME, asn1.dateToUtcTime(date));

const algorithm = (): forge.asn1.Asn1 =>
  sequence([primitive(Type.OID, asn1.oidToDer(sha256WithRsa).getBytes()), primitive(Type.NULL, "")]);
