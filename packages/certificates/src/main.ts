/** The command behind `make certs`: arguments, output and exit codes; nothing else. */
import { parseArgs } from "node:util";
import { CertificatesError, makeCertificates } from "./make.ts";

const usage = "usage: main.ts [--directory certs] [--hosts NAME,ADDRESS,...]";

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CertificatesError)) throw error;
  process.stderr.write(`certificates: ${error.message}\n`);
  process.exitCode = error.kind === "usage" ? 2 : 1;
}

async function main(args: readonly string[]): Promise<void> {
  const { directory, hosts } = readArguments(args);
  const names = hosts.split(",").map((host) => host.trim());
  const { made, kept } = await makeCertificates({ directory, hosts: names.filter((name) => name !== "") });
  const lines = [
    ...made.map((path) => `made  ${path}`),
    ...kept.map((path) => `kept  ${path}`),
    "",
    "Each x.pem has its key in x-key.pem. Keep ca-key.pem away from the machines of the cluster.",
    `  dkv      --peer-cert-file=${directory}/peer.pem --peer-key-file=${directory}/peer-key.pem --peer-trusted-ca-file=${directory}/ca.pem`,
    `           --cert-file=${directory}/server.pem --key-file=${directory}/server-key.pem`,
    `  clients  trust ${directory}/ca.pem; client.pem is for servers that run with --trusted-ca-file`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function readArguments(args: readonly string[]): { readonly directory: string; readonly hosts: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { directory: { type: "string", default: "certs" }, hosts: { type: "string", default: "" } },
    });
    return values;
  } catch (error) {
    throw new CertificatesError(
      "usage",
      `${error instanceof Error ? error.message : String(error)}; ${usage}`,
      { cause: error },
    );
  }
}
