/** One header field. Its value has no white space around it. */
export type Field = readonly [name: string, value: string];

export interface Fields {
  readonly fields: readonly Field[];
}

/** The values of a field by its lower-case name. */
export const fieldsNamed = ({ fields }: Fields, name: string): readonly string[] =>
  fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);

/** The value of a field by its lower-case name. Repeated fields are joined. */
export const fieldOf = (answer: Fields, name: string): string | undefined => {
  const values = fieldsNamed(answer, name);
  return values.length > 0 ? values.join(', ') : undefined;
};

/**
 * Reads fields strictly: tokens as names, no folding, no white space before the colon (RFC 9112
 * section 5).
 */
export const fieldsOf = (lines: readonly string[], problems: string[]): readonly Field[] =>
  lines.flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are not allowed
    if (name === undefined || value === undefined || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      problems.push(`malformed field ${JSON.stringify(line)}`);
      return [];
    }
    return [[name, value] as const];
  });
