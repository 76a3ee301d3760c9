import { BOUNDS, BoundExceeded } from './bounds.ts';

/** Parses JSON that is nested no deeper than XML may be: what walks through it later may recurse. */
export const parseJson = (name: string, text: string): unknown => {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inText) {
      if (character === '\\') at += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === ']' || character === '}') depth -= 1;
    else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > BOUNDS.depth)
        throw new BoundExceeded(`${name}: character ${at + 1}: more than ${BOUNDS.depth} nested values`);
    }
  }
  return JSON.parse(text);
};
