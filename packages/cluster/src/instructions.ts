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
  const flags = (address: string): string => `--endpoint=${address}${ca === undefined ? "" : ` --cacert=${ca}`}`;
  const scheme = ca === undefined ? "http" : "https";
  const curl = `curl ${ca === undefined ? "" : `--cacert ${ca} `}-H 'content-type: application/json'`;
  // The value of a key is bytes, which JSON writes in base64: d29ybGQ= is "world".
  return [
    "",
    `The cluster is up, ${leader} leads. Use it from a second shell here; each member takes every command:`,
    "",
    `  npx dkvctl ${flags(first)} set hello world`,
    `  npx dkvctl ${flags(second)} get hello`,
    `  npx dkvctl ${flags(third)} delete hello`,
    `  npx dkvctl ${flags(clientAddresses.join(","))} member-list`,
    "",
    `  ${curl} -d '{"key": "hello", "value": "d29ybGQ="}' ${scheme}://${first}/dkv.v1.DkvAPI/Set`,
    `  ${curl} -d '{"key": "hello"}' ${scheme}://${second}/dkv.v1.DkvAPI/Get`,
    "",
    "Ctrl-C stops all members. Their data stays, and the next start goes on with it.",
    "",
  ].join("\n");
}
