/** Why a member cannot start: one line that says what is wrong and what to do about it. */
export class StartupError extends Error {
  override readonly name = "StartupError";
  /** `usage`: the flags are wrong (exit 2). `environment`: the machine or the data is (exit 1). */
  readonly kind: "usage" | "environment";

  constructor(kind: "usage" | "environment", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
