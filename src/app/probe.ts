import { firstValueFrom, timeout } from 'rxjs';
import { type Access, OPEN, type OpenSource, type SourceEvent, StreamError } from '../../pipelines/index.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { placesOf } from '../sources/feed/mirrors.ts';

/** Asks for a file, and resolves to the reason why no client can have it, if so. */
export type Probe = (access: Access, url: string, size?: number) => Promise<string | undefined>;

/** Milliseconds in which a feed must answer an operator who waits. */
const ANSWER = 30_000;

/** Asks each place of a file with HEAD, or for its first byte, until one has it. */
export const prober =
  (open: OpenSource): Probe =>
  async (access, url, size) => {
    let problem: string | undefined;
    for (const place of placesOf(url, access)) {
      const ask = (method: 'HEAD' | 'GET', last?: number): Promise<SourceEvent> =>
        firstValueFrom(open(place, { method, from: 0, last })(OPEN).pipe(timeout(ANSWER)));
      try {
        // Some servers refuse HEAD, and URLs may be signed for GET alone.
        const head = await ask('HEAD').catch((error: unknown) => {
          if (error instanceof StreamError && error.code === 'SOURCE_MISSING') throw error;
          return ask('GET', 0);
        });
        const length = head.type === 'head' ? head.length : undefined;
        if (size === undefined || length === undefined || length === size) return undefined;
        problem ??= `${maskUrl(place.url)} has ${length} bytes, but the metadata lists ${size}`;
      } catch (error) {
        problem ??= maskUrl(messageOf(error));
      }
    }
    return problem;
  };
