/** A diagram was asked for that the recording cannot give. The codes are stable. */
export type DiagramErrorCode =
  /** No such client in the recording; the message lists those that there are. */
  | 'unknown-client'
  /** None of the requests asked for was made; the message says which were. */
  | 'unknown-request'
  /** The client has more exchanges than a diagram can be drawn from. */
  | 'too-many-exchanges';

export class DiagramError extends Error {
  readonly code: DiagramErrorCode;

  constructor(code: DiagramErrorCode, message: string) {
    super(message);
    this.name = 'DiagramError';
    this.code = code;
  }
}
