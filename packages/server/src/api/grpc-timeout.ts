const unitsInMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Reads a grpc-timeout header. Returns milliseconds, or undefined if it is not one. */
export function parseGrpcTimeout(header: string): number | undefined {
  const unit = unitsInMs[header.slice(-1)];
  const amount = header.slice(0, -1);
  if (unit === undefined || !/^\d{1,8}$/.test(amount)) return undefined;
  return Number(amount) * unit;
}
