/** What a parser made of an input: its result, or the message of the error that it may throw. */
export type Outcome<T> = { readonly result: T } | { readonly error: string };

/** A kind of error that may leave a parser. `Error` stands for itself, not for kinds that extend it. */
type Named = abstract new (...args: never[]) => Error;

const said = (error: unknown, named: readonly Named[]): { readonly error: string } => {
  const isNamed = named.some((kind) => (kind === Error ? Object(error).constructor === Error : error instanceof kind));
  if (!isNamed) throw error;
  return { error: (error as Error).message };
};

/** Runs a parser. Errors of the named kinds are outcomes; any other one is thrown on. */
export const outcomeOf = <T>(parse: () => T, ...named: readonly Named[]): Outcome<T> => {
  try {
    return { result: parse() };
  } catch (error) {
    return said(error, named);
  }
};

export const outcomeOfAsync = async <T>(parse: () => Promise<T>, ...named: readonly Named[]): Promise<Outcome<T>> => {
  try {
    return { result: await parse() };
  } catch (error) {
    return said(error, named);
  }
};
