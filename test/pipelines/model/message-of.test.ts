import { createContext, runInContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { messageOf } from '../../../pipelines/model/message-of.ts';

const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const both = [refused('::1'), refused('127.0.0.1')];

const endless = new Error('');
endless.cause = endless;

/** The reason, in so many errors without a message of their own. */
const within = (depth: number): unknown => (depth === 0 ? new Error('full') : new AggregateError([within(depth - 1)]));

it.each<[string, unknown, string]>([
  ['an error', new Error('full'), 'full'],
  ['a text', 'full', 'full'],
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  [
    'errors in one without a message',
    new AggregateError(both),
    'connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
  ],
  [
    'errors in one with a message',
    new AggregateError(both, 'all failed'),
    'all failed: connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
  ],
  ['errors that the message names already', new AggregateError([new Error('full')], 'disk full'), 'disk full'],
  ['the same error twice', new AggregateError([new Error('full'), new Error('full')]), 'full'],
  ['errors in errors', within(2), 'full'],
  ['errors in errors, as deep as it looks', within(7), 'full'],
  ['errors in errors, deeper than it looks', within(8), 'Error: full'],
  ['a cause of one without a message', new Error('', { cause: new AggregateError(both.slice(1)) }), both[1]!.message],
  ['a cause of one with a message', new Error('disk', { cause: new Error('full') }), 'disk'],
  ['a code without a message', Object.assign(new Error(''), { code: 'ENOSPC' }), 'ENOSPC'],
  ['a code that is a number', Object.assign(new Error(''), { code: 28 }), 'Error'],
  ['a message that is no text', { message: 28, toString: () => 'full' }, 'full'],
  ['errors, of which there are none', new AggregateError([]), 'AggregateError'],
  ['an error that is its own cause', endless, 'Error'],
  ['an error of another realm', runInContext("new AggregateError([new Error('full')])", createContext()), 'full'],
])('finds the message of %s', (_, thrown, message) => expect(messageOf(thrown)).toBe(message));
