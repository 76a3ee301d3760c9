import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { missingTools } from '../support/tools.ts';
import { type Line, startClients } from './clients.ts';
import { contentOf } from './content.ts';

const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));

const SIZE = 5_000;
const JOBS = 40;
const right = contentOf(1, 'name', SIZE);
const flipped = right.with(SIZE - 1, right[SIZE - 1]! ^ 1);

/** The outcomes of whole requests that are answered in this way. */
const outcomesOf = async (answer: (response: ServerResponse) => void): Promise<ReadonlySet<string>> => {
  const feed = await startFeed((request, response) => {
    const { range, ...others } = request.headers;
    const isCondition = Object.keys(others).some((name) => name.startsWith('if-'));
    if (request.method === 'HEAD' || range || isCondition) response.destroy();
    else answer(response);
  });
  feeds.push(feed);
  const lines: Line[] = [];
  const clients = startClients(1, JOBS, (line) => lines.push(line));
  for (let number = 1; number <= JOBS; number += 1)
    await clients.ask({ number, class: 'small', url: `${feed.url}/x`, content: 'name', size: SIZE });
  await clients.end();
  return new Set(lines.filter(({ asked }) => asked === 'whole').map(({ outcome }) => outcome));
};

const whole = (bytes: Uint8Array, length: number) => (response: ServerResponse) => {
  response.writeHead(200, { 'Content-Length': length });
  response.write(bytes, () => (bytes.length < length ? response.destroy() : response.end()));
};

const has = missingTools(['python3']).length === 0;
(has ? describe : describe.skip)(`the clients of the soak${has ? '' : ' (skipped: needs python3)'}`, () => {
  it('know the truth, which two programs compute', async () => {
    expect(await outcomesOf(whole(right, SIZE))).toContain('right');
  });

  it.each([
    ['a flipped last byte', whole(flipped, SIZE), 'wrong'],
    ['a body that is too short, and ends well', whole(right.subarray(1), SIZE - 1), 'wrong'],
    ['a body that breaks off', whole(right.subarray(1), SIZE), 'cut'],
    ['an error', (response: ServerResponse) => response.writeHead(502).end(), 'refused'],
  ])('find %s', async (_, answer, outcome) => {
    const outcomes = await outcomesOf(answer);
    expect(outcomes).toContain(outcome);
    expect(outcomes).not.toContain('right');
  });
});
