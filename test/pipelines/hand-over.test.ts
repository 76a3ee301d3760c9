import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, of, throwError, toArray } from 'rxjs';
import { type Candidate, type Head, type Report, StreamError, type StreamRequest } from '../../pipelines/index.ts';
import {
  aCandidate,
  aPolicy,
  chunk,
  entryOf,
  fetched,
  newDigest,
  sourceHead,
  textOf,
  type Unpaused,
  unpaused,
} from '../support/pipeline.ts';

const CONTENT = 'abcdefghij';
const entry = entryOf(CONTENT);
const onDisk = aCandidate('saved', entry, { url: '/copies/a' });
const feed = aCandidate('feed', entry);

interface Story {
  readonly candidates: readonly Candidate[];
  readonly open?: Unpaused;
  readonly request?: Partial<StreamRequest>;
}

/** Fetches with a proxy that can reach all files on disk. */
const run = async ({ candidates, open, request }: Story) => {
  const asked: string[] = [];
  const reports: Report[] = [];
  const recorded: unknown[] = [];
  const sends: Unpaused = (_, { method }) =>
    method === 'HEAD' ? of(sourceHead({ length: 10 })) : of(sourceHead({ length: 10 }), chunk(CONTENT));
  const events = await lastValueFrom(
    fetched(
      {
        handOver: ({ url }) => (url.startsWith('/') ? ['X-Accel-Redirect', `/_${url}`] : undefined),
        ...request,
      },
      {
        catalog: { lookup: () => of(entry) },
        sources: [() => of(...candidates)],
        open: unpaused((location, ask) => {
          asked.push(`${ask.method} ${location.url}`);
          return (open ?? sends)(location, ask);
        }),
        newDigest,
        policy: aPolicy({ retryWait: 0 }),
        random: () => 0.5,
        outbox: { append: (save) => recorded.push(save) },
        report: (report) => reports.push(report),
      },
    ).pipe(toArray()),
  );
  const head = events.find((event): event is Head => event.type === 'head');
  const body = events.map((event) => (event.type === 'chunk' ? textOf(event.bytes) : '')).join('');
  const notes = events.flatMap(({ type }) => (['head', 'chunk', 'end'].includes(type) ? [] : [type]));
  return { asked, head, body, notes, report: reports[0], recorded };
};

const POINTER = ['X-Accel-Redirect', '/_/copies/a'];

describe('handing a file over to a proxy', () => {
  it('names the file instead of sending it, claims no proof and saves nothing', async () => {
    const { asked, head, body, notes, report, recorded } = await run({ candidates: [onDisk, feed] });
    expect(asked).toEqual(['HEAD /copies/a']);
    expect(head).toMatchObject({ status: 200, length: 0, total: 10, whole: false, handedOver: true });
    expect(head?.headers).toContainEqual(POINTER);
    expect(head?.headers.map(([name]) => name)).not.toContain('Accept-Ranges');
    expect(head?.headers).toContainEqual(['ETag', `"${entry.checksum?.value}"`]);
    expect({ body, notes, recorded }).toEqual({ body: '', notes: ['found', 'attempt'], recorded: [] });
    expect(report).toMatchObject({ outcome: 'complete', handedOver: true, bytes: 0, source: 'saved' });
    expect(report?.verified).toBeUndefined();
  });

  it('leaves ranges to the proxy', async () => {
    const ranges = [{ first: 2, last: 4 }, { first: 6 }];
    const { head } = await run({ candidates: [onDisk], request: { ranges, conditions: { ifRange: '"x"' } } });
    expect(head).toMatchObject({ status: 200, handedOver: true });
  });

  it.each([
    ['a source that is not on disk comes first', { candidates: [feed, onDisk] }],
    ['the file is of an older entry', { candidates: [{ ...onDisk, outdated: true }] }],
    ['nobody asks', { candidates: [onDisk], request: { handOver: undefined } }],
    ['a cache asks for a slice', { candidates: [onDisk], request: { slice: true } }],
    ['the proxy would judge a condition', { candidates: [onDisk], request: { conditions: { ifUnmodifiedSince: 1 } } }],
  ])('is not done if %s: the bytes are sent and verified', async (_, story: Story) => {
    const { head, body, notes, report } = await run(story);
    expect(head).not.toHaveProperty('handedOver');
    expect(head?.headers).not.toContainEqual(POINTER);
    expect(body).toBe(CONTENT);
    expect(notes.filter((note) => note === 'found')).toHaveLength(1);
    expect(report).toMatchObject({ outcome: 'complete', verified: 'sha256', bytes: 10 });
  });

  it('is not done for a file of another size', async () => {
    const open: Unpaused = ({ url }, { method }) => {
      const length = url === '/copies/a' ? 9 : 10;
      return method === 'HEAD'
        ? of(sourceHead({ length }))
        : of(sourceHead({ length }), chunk(CONTENT.slice(0, length)));
    };
    const sized = { ...entry, size: 10 };
    const { head, body } = await run({
      candidates: [
        { ...onDisk, entry: sized },
        { ...feed, entry: sized },
      ],
      open,
    });
    expect(head).not.toHaveProperty('handedOver');
    expect(body).toBe(CONTENT);
  });

  it('moves on to the next source if the file is missing', async () => {
    const open: Unpaused = ({ url }) =>
      url === '/copies/a'
        ? throwError(() => new StreamError('SOURCE_MISSING', 'disk', 'gone'))
        : of(sourceHead({ length: 10 }), chunk(CONTENT));
    const { asked, body } = await run({ candidates: [onDisk, feed], open });
    expect(body).toBe(CONTENT);
    expect(asked).toEqual(['HEAD /copies/a', 'GET /copies/a', `GET ${feed.url}`]);
  });

  it('concerns no request for a head', async () => {
    const { head } = await run({ candidates: [onDisk], request: { method: 'HEAD' } });
    expect(head).toMatchObject({ status: 200, length: 10 });
    expect(head?.handedOver).toBeUndefined();
  });

  it('concerns no request with conditions, except those that the proxy judges', async () => {
    const left = { ifRange: '"1"', ifMatch: undefined };
    expect((await run({ candidates: [onDisk], request: { conditions: left } })).head?.handedOver).toBe(true);
    const { head } = await run({ candidates: [onDisk], request: { conditions: { ifNoneMatch: ['"1"'] } } });
    expect(head?.handedOver).toBeUndefined();
  });

  it('reports a file that failed, then sends the content of another source', async () => {
    const damaged = new StreamError('CHANGED', 'disk', 'changed');
    const { body, notes } = await run({
      candidates: [onDisk, feed],
      open: ({ url }) =>
        url === onDisk.url ? throwError(() => damaged) : of(sourceHead({ length: 10 }), chunk(CONTENT)),
    });
    expect(body).toBe(CONTENT);
    // The file is asked for its head, then tried like any other.
    expect(notes.filter((note) => note === 'failed')).toHaveLength(2);
  });
});
