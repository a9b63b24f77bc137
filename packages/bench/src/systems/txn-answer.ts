import { Fields } from "../grpc/fields.ts";

/** Of a TxnResponse: dkv and etcd have the same number here. */
const succeeded = 2;
const fields = new Fields();

/** A transaction whose comparison did not hold has written nothing, which is not what is measured. */
export function txnProblem(message: Buffer): string | undefined {
  fields.open(message, 0, message.length);
  while (fields.next()) if (fields.field === succeeded && fields.number === 1) return undefined;
  return "the comparison did not hold";
}
