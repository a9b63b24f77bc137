export { damaged, inPieces } from "./damage.ts";
export { damagedMessage } from "./protobuf.ts";
export { readOrRefused } from "./refusal.ts";
export { fuzz } from "./target.ts";
