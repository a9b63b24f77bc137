/** What has been heard of one server's revisions. */
export class Revisions {
  /** The newest. A store begins with its first. */
  latest = 1;
  /** Up to which history was given up; 0: none. */
  compacted = 0;

  hear(revision: bigint | undefined): void {
    this.latest = Math.max(this.latest, Number(revision ?? 0));
  }

  /** The number behind `latest-3` and the like; undefined if the symbol is none of these. */
  resolve(symbol: string): bigint | undefined {
    const [, from, offset = "0"] = /^(latest|compacted)([+-]\d+)?$/.exec(symbol) ?? [];
    if (from === undefined) return undefined;
    return BigInt((from === "latest" ? this.latest : this.compacted) + Number(offset));
  }
}
