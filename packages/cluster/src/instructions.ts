/** What `make cluster` says once there is a leader. */

/** A cluster that runs, as seen from the root of the repository. */
export interface Running {
  readonly clientAddresses: readonly string[];
  readonly leader: string;
  /** Path of the CA that clients trust; undefined: clients speak in clear. */
  readonly ca: string | undefined;
}

/** Command lines that work as they stand, in a second shell at the root of the repository. */
export function describeUse({ clientAddresses, leader, ca }: Running): string {
  const [first = "", second = first, third = second] = clientAddresses;
  const flags = (address: string): string =>
    `--endpoint=${address}${ca === undefined ? "" : ` --cacert=${ca}`}`;
  const scheme = ca === undefined ? "http" : "https";
  const curl = `curl ${ca === undefined ? "" : `--cacert ${ca} `}-H 'content-type: application/json'`;
  // A value is bytes, which JSON writes in base64: aGVsbG8= is "hello".
  return [
    "",
    `The cluster is up, ${leader} leads. Use it from a second shell here; each member takes every command:`,
    "",
    `  npx dkvctl ${flags(first)} set greeting hello`,
    `  npx dkvctl ${flags(second)} get greeting`,
    `  npx dkvctl ${flags(third)} delete greeting`,
    `  npx dkvctl ${flags(clientAddresses.join(","))} member-list`,
    "",
    `  ${curl} -d '{"key":"greeting","value":"aGVsbG8="}' ${scheme}://${first}/dkv.v1.DkvAPI/Set`,
    `  ${curl} -d '{"key":"greeting"}' ${scheme}://${second}/dkv.v1.DkvAPI/Get`,
    "",
    "Ctrl-C stops all members. Their data stays, and the next start goes on with it.",
    "",
  ].join("\n");
}
