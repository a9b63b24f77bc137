/** Dials a member, as far as the greeting. */
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { parseHostPort } from "../platform/address.ts";
import { StartupError } from "../platform/startup-error.ts";
import { readTlsMaterial, type TlsMaterial, type TlsPaths } from "../platform/tls-files.ts";
import { hungUp, hungUpInClear } from "./connect-failure.ts";
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
    const socket = explainEnd(connectTcp(tcpOptions), hungUpInClear);
    return socket.once("connect", () => socket.write(hello));
  }
  const checkServerIdentity = (_host: string, certificate: PeerCertificate) => checkHost(host, certificate);
  const options = { ...tcpOptions, ...material, checkServerIdentity } as const;
  // With TLS 1.3 this side is done before the other has looked at its certificate, and that then hangs up.
  const socket = explainEnd(connectTls(options), hungUp);
  return socket.once("secureConnect", () => socket.write(hello));
}

/** An end before the first byte is an error with this reason. */
function explainEnd<Connection extends Socket>(socket: Connection, reason: string): Connection {
  const onEnd = (): void => void socket.destroy(new Error(reason));
  return socket.once("end", onEnd).once("data", () => socket.off("end", onEnd));
}

/** Throws a StartupError if the files cannot be used between members. */
export function readPeerMaterial(tls: TlsPaths | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  // Without a CA of its own a member would accept every certificate that the public ones ever issued.
  if (tls.trustedCaFile === undefined && tls.isUnverified !== true)
    throw new StartupError("usage", "peers with TLS need --peer-trusted-ca-file");
  return readTlsMaterial(tls);
}
