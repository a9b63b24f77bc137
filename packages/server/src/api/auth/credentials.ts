/** What a request says of who asks. */
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { RequestFields } from "../request-fields.ts";

export type Credentials =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "password"; readonly name: string; readonly password: string }
  /** The common name of a certificate that the connection was made with. */
  | { readonly kind: "certificate"; readonly name: string }
  | { readonly kind: "none" };

/** A token, or name and password, win over a certificate, as in etcd. */
export function credentialsIn(fields: RequestFields): Credentials {
  const token = fields.get("token") ?? "";
  // Some clients of etcd write it here as they would in the other field.
  if (token !== "") return { kind: "token", token: token.replace(/^Bearer /, "") };
  const authorization = fields.get("authorization") ?? "";
  if (authorization !== "") return authorized(authorization);
  const name = commonNameOf(fields.connection);
  return name === undefined ? { kind: "none" } : { kind: "certificate", name };
}

/** Of RFC 9110 §11.6.2, or a bare token, as clients of etcd send it. */
function authorized(authorization: string): Credentials {
  const [, scheme = "", value = ""] = /^(Basic|Bearer) +(.*)$/i.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "basic": {
      const text = Buffer.from(value, "base64").toString();
      const at = text.indexOf(":");
      return { kind: "password", name: text.slice(0, Math.max(at, 0)), password: text.slice(at + 1) };
    }
    case "bearer":
      return { kind: "token", token: value };
    default:
      return { kind: "token", token: authorization };
  }
}

const namesOfConnections = new WeakMap<object, string | undefined>();

/** Undefined if there is no certificate that was checked, or if it has none, or several. */
export function commonNameOf(connection: object | undefined): string | undefined {
  if (!(connection instanceof TLSSocket) || !connection.authorized) return undefined;
  if (!namesOfConnections.has(connection)) {
    // A certificate may have several, and a connection that has ended none, which Node's types do not know.
    const certificate: PeerCertificate | null = connection.getPeerCertificate();
    const name: unknown = certificate?.subject?.CN;
    namesOfConnections.set(connection, typeof name === "string" && name !== "" ? name : undefined);
  }
  return namesOfConnections.get(connection);
}
