import assert from 'node:assert/strict';
import { StreamError } from '../../../pipelines/model/errors.ts';
import { normalPath } from '../../../pipelines/model/spelling.ts';
import { createHeads, restoreTarget } from '../../../src/http/raw-targets.ts';
import { pathOfTarget, targetOf, withoutPrefix } from '../../../src/http/target.ts';
import type { Target } from '../engine/target.ts';
import { chunkingsOf } from '../invariants/chunkings.ts';
import { outcomeOf } from '../invariants/outcome.ts';

const below = withoutPrefix('/streamer/');

/** The bytes for the parser, of all heads. */
const headsOf = (pieces: readonly Buffer[]): string => {
  const divide = createHeads();
  let heads = '';
  for (const piece of pieces)
    for (let rest = piece; rest.length > 0; ) {
      const [head, next] = divide(rest);
      assert.ok(next.length < rest.length, 'does not move on');
      heads += head.toString('latin1');
      rest = next;
    }
  return heads;
};

const checkTarget = (target: string): void => {
  const path = outcomeOf(() => pathOfTarget(target), StreamError);
  if ('error' in path) return;
  assert.ok(path.result.startsWith('/'));
  const normal = normalPath(path.result);
  assert.equal(normalPath(normal), normal, 'a normal form that is not normal');
  assert.doesNotMatch(normal, /\/\.\.?(\/|$)/, 'a normal form with dot segments');
  assert.ok(below(path.result).startsWith('/'), 'a path that does not begin with a slash');
};

export const target: Target = {
  about: 'request lines with raw bytes, targets, paths, their normal form',
  tokens: [
    ...['GET ', ' HTTP/1.1\r\n', '\r\n\r\n', 'Host: a\r\n', '/streamer/', '/', '//', '..', '%2e', '%2F', '%', '#', '?'],
    ...['http://a.example', ';policy=', '\xc3\xa9', '\xff', '%C3%A9', '%23'],
  ],
  check: (input) => {
    const [whole, ...others] = chunkingsOf(input).map(headsOf);
    for (const other of others) assert.equal(other, whole, 'another result in other pieces');
    const sent = /^[A-Z]+ ([^ \r\n]*) /.exec(input.toString('latin1'))?.[1];
    if (sent === undefined) return;
    const given = /^[A-Z]+ ([^ \r\n]*) /.exec(whole ?? '')?.[1] ?? '';
    assert.equal(restoreTarget(given), sent, 'another target than the client sent');
    checkTarget(sent);
    checkTarget(targetOf(sent));
  },
};
