import { peerTransportContract } from "./contract.ts";

peerTransportContract("in clear", { overrides: {}, credentials: undefined });
