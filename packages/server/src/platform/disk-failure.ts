/** What the system says when a disk takes no more, in words for whoever has to put it right. */

const kinds = {
  full: {
    codes: ["ENOSPC", "EDQUOT"],
    // LevelDB passes on the text of the error and not its name.
    texts: ["No space left on device", "Disk quota exceeded"],
    what: "is full",
    remedy:
      "make room there and start this member again; with a larger --disk-free-reserve it refuses writes in time",
  },
  broken: {
    codes: ["EIO", "EROFS"],
    texts: ["Input/output error", "Read-only file system"],
    what: "failed",
    remedy:
      "look into the system's log, and start this member again once the disk is sound; if what it stored is " +
      "damaged, it refuses to start and says what to do",
  },
} as const;

/**
 * One line on a failed write, if a full or broken disk is why it failed; undefined for any other error.
 *
 * @param path what the disk is known by: the data directory
 */
export function describeDiskFailure(error: unknown, path: string): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { message } = cause;
    const code = "code" in cause ? cause.code : undefined;
    const kind = Object.values(kinds).find(
      ({ codes, texts }) => codes.some((one) => one === code) || texts.some((one) => message.includes(one)),
    );
    if (kind === undefined) continue;
    return (
      `the disk of ${path} ${kind.what} (${message}): this member stops, and keeps all that it has ` +
      `acknowledged; ${kind.remedy}`
    );
  }
  return undefined;
}
