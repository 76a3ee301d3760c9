/** All problems of the configuration at once. Each names its place, and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  /** The settings that are valid all the same, as far as they are known. */
  readonly valid: Readonly<Record<string, unknown>>;

  constructor(problems: readonly string[], valid: Readonly<Record<string, unknown>> = {}) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
    this.valid = valid;
  }
}
