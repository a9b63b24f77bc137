import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { dkvContract } from "./contract.ts";

dkvContract("gRPC", {
  bypasses: true,
  transport: (baseUrl) => createGrpcTransport({ baseUrl }),
});

dkvContract("gRPC, by Connect", {
  bypasses: false,
  port: { bypass: "forbidden" },
  transport: (baseUrl) => createGrpcTransport({ baseUrl }),
});

dkvContract("gRPC with compressed requests", {
  bypasses: false,
  transport: (baseUrl) => createGrpcTransport({ baseUrl, sendCompression: compressionGzip }),
});

for (const httpVersion of ["1.1", "2"] as const) {
  dkvContract(`gRPC-Web on HTTP/${httpVersion}`, {
    bypasses: false,
    transport: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion }),
  });
  for (const useBinaryFormat of [true, false]) {
    dkvContract(`Connect with ${useBinaryFormat ? "protobuf" : "JSON"} on HTTP/${httpVersion}`, {
      bypasses: false,
      transport: (baseUrl) => createConnectTransport({ baseUrl, httpVersion, useBinaryFormat }),
    });
  }
}
