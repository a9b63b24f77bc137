/** Where a member listens, and where it says that it is reached. */
import { maxClientUrlBytes, maxClientUrls } from "../codec/handshake-codec.ts";
import { formatAddress, type ListenAddress } from "../platform/address.ts";
import type { Listening } from "../platform/listening.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import type { Config } from "./config.ts";
import { usage, type ValueReader } from "./value-reader.ts";

export interface ClientPort {
  readonly address: ListenAddress;
  /** Cleartext if there is none. */
  readonly tls: TlsPaths | undefined;
}

type Listens = Pick<
  Config,
  "listenPeerAddresses" | "clientPorts" | "metricsPorts" | "text" | "listenBinaryAddress"
>;

/** The addresses of a member, in the order in which it listens on them. */
export function listenings(config: Listens): readonly Listening[] {
  const { listenPeerAddresses, clientPorts, metricsPorts, text, listenBinaryAddress } = config;
  const of = (callers: Listening["callers"], addresses: readonly ListenAddress[]): readonly Listening[] =>
    addresses.map((address) => ({ callers, address }));
  const addressesOf = (ports: readonly ClientPort[]) => ports.map(({ address }) => address);
  return [
    ...of("peers", listenPeerAddresses),
    ...of("clients", addressesOf(clientPorts)),
    ...of("probes", addressesOf(metricsPorts)),
    ...of("clients of the text protocol", text === undefined ? [] : [text.listenAddress]),
    ...of("clients of the binary protocol", listenBinaryAddress === undefined ? [] : [listenBinaryAddress]),
  ];
}

export function listenedPeerAddresses(reader: ValueReader): readonly ListenAddress[] {
  reader.required("listen-peer-address");
  return reader.addresses("listen-peer-address");
}

/**
 * Any page in a browser may send queries, so they come from this machine alone unless a host says otherwise.
 * Who wrote an address for everybody is asked again, rather than have gRPC clients elsewhere find nobody.
 */
export function listenedClientPorts(
  reader: ValueReader,
  tls: TlsPaths | undefined,
): readonly [ClientPort, ...ClientPort[]] {
  const name = "listen-client-address";
  reader.required(name);
  const [first, ...others] = portsOf(reader, name, tls).map(({ address, tls }) => {
    if (address.host !== undefined || !reader.isOn("query-interface")) return { address, tls };
    const here = { ...address, host: "127.0.0.1" };
    if (!reader.isGiven(name)) return { address: here, tls };
    const everywhere = formatAddress({ ...address, host: "0.0.0.0" });
    throw usage(
      `${reader.source(name)} is "${formatAddress(address)}", and with --query-interface whoever reaches that port ` +
        `may read and write everything by a URL: write ${formatAddress(here)} for this machine alone, or ` +
        `${everywhere} for all`,
    );
  });
  if (first === undefined) throw usage("--listen-client-address names no address; write one, such as :3000");
  return [first, ...others];
}

/** With TLS exactly where there are certificates, unless an address says otherwise. */
export function portsOf(
  reader: ValueReader,
  name: "listen-client-address" | "listen-metrics-address",
  tls: TlsPaths | undefined,
): readonly ClientPort[] {
  return reader.endpoints(name).map(({ address, scheme }) => {
    if (scheme === "https" && tls === undefined)
      throw usage(
        `${reader.source(name)} has https://${formatAddress(address)}, which needs --cert-file and --key-file`,
      );
    return { address, tls: scheme === "http" ? undefined : tls };
  });
}

/** Empty if the first address names no host that others could go to. */
export function advertisedClientAddress(
  reader: ValueReader,
  [{ address }]: readonly [ClientPort, ...ClientPort[]],
): string {
  const given = reader.optional("advertise-client-address");
  if (given !== undefined) return formatAddress(reader.address("advertise-client-address"));
  const namesHost = address.host !== undefined && address.host !== "0.0.0.0" && address.host !== "::";
  return namesHost ? formatAddress(address) : "";
}

export function advertisedClientUrls(reader: ValueReader): readonly string[] {
  const urls = reader.list("advertise-client-urls");
  const other = urls.find((url) => !/^(?:https?|unixs?):\/\/[^\s/]+$/.test(url));
  if (other !== undefined)
    throw usage(`--advertise-client-urls has "${other}"; write URLs such as http://10.0.0.1:2379`);
  if (urls.length > maxClientUrls || Buffer.byteLength(urls.join()) > maxClientUrlBytes)
    throw usage(
      `--advertise-client-urls has ${String(urls.length)}; name at most ${String(maxClientUrls)} short ones`,
    );
  return urls;
}

/** What carries no authentication is for this machine alone, unless a host says otherwise. */
export function listenedAddress(
  reader: ValueReader,
  name: "listen-text-address" | "listen-binary-address",
): ListenAddress | undefined {
  if (reader.optional(name) === undefined) return undefined;
  const address = reader.address(name);
  return { ...address, host: address.host ?? "127.0.0.1" };
}
