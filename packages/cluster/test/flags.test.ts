import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memberFlags, newcomerFlags, toArguments } from "../src/flags.ts";

const members = [0, 1].map((at) => ({
  name: `dkv-${at}`,
  peerAddress: `localhost:${2380 + at}`,
  clientAddress: `localhost:${3000 + at}`,
  dataDir: `/data/dkv-${at}`,
}));
const [first] = members;
assert.ok(first !== undefined);

describe("the flags of a member", () => {
  it("are those of the README, in clear", () => {
    assert.deepEqual(toArguments(memberFlags(first, { members, certificates: undefined })), [
      "--name=dkv-0",
      "--initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381",
      "--initial-cluster-state=new",
      "--data-dir=/data/dkv-0",
      "--listen-peer-address=localhost:2380",
      "--listen-client-address=localhost:3000",
      "--log-format=json",
    ]);
  });

  it("name the certificates when there are any", () => {
    assert.deepEqual(toArguments(memberFlags(first, { members, certificates: "/certs" })).slice(-5), [
      "--peer-cert-file=/certs/peer.pem",
      "--peer-key-file=/certs/peer-key.pem",
      "--peer-trusted-ca-file=/certs/ca.pem",
      "--cert-file=/certs/server.pem",
      "--key-file=/certs/server-key.pem",
    ]);
  });

  it("of one that is added name the others, and that their cluster is there", () => {
    const newcomer = { ...first, name: "dkv-9" };
    const flags = newcomerFlags(newcomer, { members, certificates: undefined });
    assert.deepEqual(toArguments(flags).slice(0, 3), [
      "--name=dkv-9",
      "--initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381",
      "--initial-cluster-state=existing",
    ]);
  });

  it("tell the peers of an address that something else listens on", () => {
    const member = { ...first, listenPeerAddress: "localhost:4000" };
    assert.deepEqual(toArguments(memberFlags(member, { members: [member], certificates: undefined })), [
      "--name=dkv-0",
      "--initial-cluster=dkv-0=localhost:2380",
      "--initial-cluster-state=new",
      "--data-dir=/data/dkv-0",
      "--listen-peer-address=localhost:4000",
      "--advertise-peer-address=localhost:2380",
      "--listen-client-address=localhost:3000",
      "--log-format=json",
    ]);
  });

  it("can be switches, and can be taken away", () => {
    assert.deepEqual(toArguments({ "insecure-peers": true, name: undefined }), ["--insecure-peers"]);
  });
});
