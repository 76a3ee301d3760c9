import { z } from 'zod';
import { messageOf } from '../../lib/thrown.ts';
import { parseJson } from '../../repositories/json.ts';

/** Checks JSON that another machine has written. Throws an error that names the text and the field. */
export const parsed = <T>(name: string, shape: z.ZodType<T>, json: string): T => {
  try {
    return shape.parse(parseJson(name, json));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw new Error(`${name}: ${issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error)}`);
  }
};
