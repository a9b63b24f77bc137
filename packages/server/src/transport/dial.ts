/** Dials a member, as far as the greeting. */
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { parseHostPort } from "../platform/address.ts";
import { StartupError } from "../platform/startup-error.ts";
import { readTlsMaterial, type TlsMaterial, type TlsPaths } from "../platform/tls-files.ts";
import { checkHost } from "./peer-identity.ts";

export interface Target {
  /** host:port */
  readonly peerAddress: string;
  /** Whose address it is, for complaints. */
  readonly name: string;
  /** Cleartext if there is none. */
  readonly material: TlsMaterial | undefined;
}

/** Connects and writes `hello` as soon as the other side has proved that it is at home at its host. */
export function dial({ peerAddress, name, material }: Target, hello: Buffer): Socket {
  const { host = "localhost", port } = parseHostPort(peerAddress, `the peer address of ${name}`);
  // Typed apart, since Node's types of TLS options do not name what is handed on to TCP.
  const tcpOptions: TcpNetConnectOpts = { host, port, noDelay: true };
  if (material === undefined) {
    const socket = connectTcp(tcpOptions);
    return socket.once("connect", () => socket.write(hello));
  }
  const checkServerIdentity = (_host: string, certificate: PeerCertificate) => checkHost(host, certificate);
  const socket = connectTls({ ...tcpOptions, ...material, minVersion: "TLSv1.2", checkServerIdentity });
  return socket.once("secureConnect", () => socket.write(hello));
}

/** An attempt at several addresses of a name fails with all their errors, and no text of its own. */
export function describeFailure(error: Error): string {
  if (error instanceof AggregateError)
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
  return error.message;
}

/** Throws a StartupError if the files cannot be used between members. */
export function readPeerMaterial(tls: TlsPaths | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  // Without a CA of its own a member would accept every certificate that the public ones ever issued.
  if (tls.trustedCaFile === undefined)
    throw new StartupError("usage", "peers with TLS need --peer-trusted-ca-file");
  return readTlsMaterial(tls);
}
