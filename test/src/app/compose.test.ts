import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import type { SaveRequest } from '../../../pipelines/index.ts';
import { composeStreamer } from '../../../src/app/compose.ts';
import { aCandidate, anEntry, aPolicy, aSource, chunk, sourceHead } from '../../support/pipeline.ts';

describe('composeStreamer', () => {
  const entry = anEntry();
  const scene = () => {
    const saves: SaveRequest[] = [];
    const streamer = composeStreamer({
      catalog: { lookup: () => of(entry) },
      sources: [() => of(aCandidate('a', entry))],
      open: () => () => of(sourceHead(), chunk('bytes')),
      policy: aPolicy({ attempts: 1 }),
      outbox: { append: (save) => saves.push(save) },
    });
    return { streamer, saves };
  };

  it('hands the request on whole', async () => {
    const { streamer, saves } = scene();
    await lastValueFrom(streamer.fetch(entry.path, { id: 'mine', traceparent: 'trace' }));
    expect(saves).toMatchObject([{ requestId: 'mine', traceparent: 'trace' }]);
    await lastValueFrom(streamer.fetch(entry.path, { save: false }));
    expect(saves).toHaveLength(1);
    // A field that only one stage looks at.
    await expect(lastValueFrom(streamer.fetch(entry.path, { lengthRequired: true }))).rejects.toMatchObject({
      code: 'LENGTH_UNKNOWN',
    });
  });

  it('names each request that has no name', async () => {
    const { streamer, saves } = scene();
    for (const _ of [1, 2]) await lastValueFrom(streamer.fetch(entry.path));
    const [one, other] = saves.map(({ requestId }) => requestId);
    expect(one).toMatch(/^[0-9a-f-]{36}$/);
    expect(other).not.toBe(one);
  });

  it('delivers a body to be pulled, and stops both for a signal', async () => {
    const { streamer } = scene();
    expect(String(await buffer(streamer.bytes(entry.path)))).toBe('bytes');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(lastValueFrom(streamer.fetch(entry.path, { signal }))).rejects.toThrow('enough');
    await expect(buffer(streamer.bytes(entry.path, { signal }))).rejects.toThrow('enough');
  });

  it('explains a path with the candidates of its sources', async () => {
    expect(await firstValueFrom(scene().streamer.explain(entry.path))).toMatchObject([{ source: aSource('a') }]);
  });
});
