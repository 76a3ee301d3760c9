import { Http1Error } from '../../../src/sources/feed/http1/errors.ts';
import { readHead } from '../../../src/sources/feed/http1/head.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf } from '../invariants/outcome.ts';

/** Planted: whether the server is old is only looked at if its status ends with a 7. */
const withDefect = (text: string): void => {
  const { status, isOld } = readHead(text);
  if (status % 10 !== 7) return;
  if (isOld) throw new TypeError('planted: an old server and a status that ends with 7');
};

export const target: Target = {
  about: 'a response head, with a planted defect',
  tokens: ['HTTP/1.1', 'Content-Length', '\r\n', ': '],
  check: (input) => {
    outcomeOf(() => withDefect(input.toString('latin1')), Http1Error);
  },
};
