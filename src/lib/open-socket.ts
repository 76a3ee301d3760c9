/** A listening socket that another process opened and passed on. */
export interface OpenSocket {
  readonly fd: number;
  /** What its opener calls it; for messages. */
  readonly name: string;
}
