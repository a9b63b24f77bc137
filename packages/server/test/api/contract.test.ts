import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { dkvContract, type Protocol } from "./contract.ts";
import { keysContract } from "./keys-contract.ts";
import { membershipContract } from "./membership-contract.ts";
import { pipeContract } from "./pipe-contract.ts";
import { txnContract } from "./txn-contract.ts";
import { watchContract } from "./watch-contract.ts";

function contract(name: string, protocol: Protocol): void {
  dkvContract(name, protocol);
  keysContract(name, protocol);
  txnContract(name, protocol);
  membershipContract(name, protocol);
  watchContract(name, protocol);
  if (protocol.isHttp1 !== true) pipeContract(name, protocol);
}

contract("gRPC", {
  bypasses: true,
  transport: (baseUrl) => createGrpcTransport({ baseUrl }),
});

contract("gRPC, by Connect", {
  bypasses: false,
  port: { bypass: "forbidden" },
  transport: (baseUrl) => createGrpcTransport({ baseUrl }),
});

contract("gRPC with compressed requests", {
  bypasses: false,
  transport: (baseUrl) => createGrpcTransport({ baseUrl, sendCompression: compressionGzip }),
});

for (const httpVersion of ["1.1", "2"] as const) {
  contract(`gRPC-Web on HTTP/${httpVersion}`, {
    bypasses: false,
    isHttp1: httpVersion === "1.1",
    transport: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion }),
  });
  for (const useBinaryFormat of [true, false]) {
    contract(`Connect with ${useBinaryFormat ? "protobuf" : "JSON"} on HTTP/${httpVersion}`, {
      bypasses: false,
      isHttp1: httpVersion === "1.1",
      transport: (baseUrl) => createConnectTransport({ baseUrl, httpVersion, useBinaryFormat }),
    });
  }
}
