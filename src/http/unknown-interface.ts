/** Names the requested interfaces that do not exist, and lists the existing ones. */
export class UnknownInterfaceError extends Error {
  override readonly name = 'UnknownInterfaceError';
}
