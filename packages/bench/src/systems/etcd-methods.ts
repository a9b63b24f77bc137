import { type Method, type Methods, mixedOf } from "../workload/work.ts";
import { encodePut, encodeRange, encodeSerializableRange, encodeTxn } from "./etcd-messages.ts";
import type { System } from "./system.ts";
import { txnProblem } from "./txn-answer.ts";

const put: Method = { path: "/etcdserverpb.KV/Put", encode: encodePut, leastAnswerBytes: 1 };

/** etcd's v3 API on the wire. */
export function etcdMethods(valueBytes: number): Methods {
  const range = (encode: Method["encode"]): Method => ({
    path: "/etcdserverpb.KV/Range",
    encode,
    leastAnswerBytes: valueBytes,
  });
  return {
    set: put,
    get: range(encodeRange),
    "serializable-get": range(encodeSerializableRange),
    txn: { path: "/etcdserverpb.KV/Txn", encode: encodeTxn, leastAnswerBytes: 1, problemIn: txnProblem },
    mixed: mixedOf(put, range(encodeRange)),
    // It has no such streams: calls, as many at the same time.
    pipe: put,
    text: { ...put, setsOnce: true },
    binary: put,
  };
}

/** The same system, asked in etcd's words. */
export function speakingEtcd(system: System): System {
  return { ...system, methods: etcdMethods };
}
