/** What one stream may have of a member. Who asks for more waits. */
export interface PipeLimits {
  /** Operations that were taken and whose answers the client has not. */
  readonly operations: number;
  /** Of the operations that are not answered yet. One may have more. */
  readonly operationBytes: number;
  /** Of keys and values in answers that the client has not taken: above, nothing more is read. */
  readonly answerBytes: number;
}

const mebibyte = 1024 * 1024;

export const pipeLimits: PipeLimits = {
  operations: 1024,
  operationBytes: 4 * mebibyte,
  answerBytes: mebibyte,
};
