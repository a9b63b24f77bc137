/** Why a file or a program cannot be used, in words for people. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "what its path begins with is no directory",
  ENOSPC: "no space is left there",
  E2BIG: "its words and variables are too long",
  EROFS: "it is on a disk that cannot be written",
};

/** Without the name, which Node has as it was used and not as it was given. */
export function fileTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return reasons[code] ?? error.message;
}
