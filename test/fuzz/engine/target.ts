/** A parser of foreign bytes, and what it promises for any input. */
export interface Target {
  /** What it reads, for the list of targets. */
  readonly about: string;
  /** Pieces of its format that the mutator inserts. */
  readonly tokens: readonly string[];
  /** The most bytes of an input; 4096 by default. */
  readonly longest?: number;
  /** Reads an input. Throws, or rejects, if a promise is broken. */
  check(input: Buffer): void | Promise<void>;
}

/** Why an input is reported. */
export interface Finding {
  readonly kind: 'error' | 'cost' | 'hang' | 'memory';
  /** The same for all inputs that show the same defect. */
  readonly what: string;
  readonly detail: string;
  readonly input: Buffer;
}
