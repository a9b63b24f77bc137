import { create, toBinary } from "@bufbuild/protobuf";
import {
  DeleteRequestSchema,
  GetRequestSchema,
  ListRequestSchema,
  SetRequestSchema,
  TxnRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import fc from "fast-check";

const anyBytes = fc.uint8Array({ maxLength: 60 });
const interval = fc
  .record({ case: fc.constantFrom("key", "prefix"), value: fc.string({ maxLength: 2 }) })
  .map((keys) => ({ keys }) as const);
const compare = fc
  .record({ keys: interval, version: fc.bigInt(0n, 2n ** 64n - 1n) })
  .map(({ keys, version }) => ({ keys, target: { case: "version", value: version } }) as const);
const operations = fc.array(
  fc
    .oneof(
      fc
        .record({ key: fc.string({ maxLength: 2 }), value: anyBytes })
        .map((value) => ({ case: "set", value }) as const),
      interval.map((keys) => ({ case: "delete", value: { keys } }) as const),
      interval.map((keys) => ({ case: "get", value: { keys } }) as const),
    )
    .map((operation) => ({ operation })),
  { maxLength: 4 },
);
/** Valid requests as bytes, by method. */
export const requests = {
  Set: fc
    .record({ key: fc.string({ maxLength: 9 }), value: anyBytes })
    .map((one) => toBinary(SetRequestSchema, create(SetRequestSchema, one))),
  Get: fc
    .record({ key: fc.string({ maxLength: 9 }) })
    .map((one) => toBinary(GetRequestSchema, create(GetRequestSchema, one))),
  Delete: fc
    .record({ key: fc.string({ maxLength: 9 }) })
    .map((one) => toBinary(DeleteRequestSchema, create(DeleteRequestSchema, one))),
  List: fc
    .record({ keys: interval, limit: fc.nat(3), pageToken: fc.base64String({ maxLength: 30 }) })
    .map((one) => toBinary(ListRequestSchema, create(ListRequestSchema, one))),
  Txn: fc
    .record({ compares: fc.array(compare, { maxLength: 2 }), success: operations, failure: operations })
    .map((one) => toBinary(TxnRequestSchema, create(TxnRequestSchema, one))),
} as const;
