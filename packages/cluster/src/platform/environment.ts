/** This process's environment without what would configure a member behind the caller's back. */
export function plainEnvironment(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DKV_")));
}
