/** What a parser made of an input: its result, or the message of the error that it may throw. */
export type Outcome<T> = { readonly result: T } | { readonly error: string };

type Named = abstract new (...args: never[]) => Error;

/** Runs a parser. Errors of the named kinds are outcomes; any other one is thrown on. */
export const outcomeOf = <T>(parse: () => T, ...named: readonly Named[]): Outcome<T> => {
  try {
    return { result: parse() };
  } catch (error) {
    return named.some((kind) => error instanceof kind) ? { error: (error as Error).message } : refuse(error);
  }
};

export const outcomeOfAsync = async <T>(parse: () => Promise<T>, ...named: readonly Named[]): Promise<Outcome<T>> => {
  try {
    return { result: await parse() };
  } catch (error) {
    return named.some((kind) => error instanceof kind) ? { error: (error as Error).message } : refuse(error);
  }
};

const refuse = (error: unknown): never => {
  throw error;
};
