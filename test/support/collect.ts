import { createHash, randomBytes } from 'node:crypto';
import { NEVER, type Observable, startWith } from 'rxjs';
import { type Flow, OPEN } from '../../pipelines/index.ts';
import { type Ask, type SourceEvent, type SourceHead, StreamError } from '../../pipelines/model/index.ts';
import { aCandidate, anEntry, type Usable } from './pipeline.ts';

export interface Collected {
  readonly head: SourceHead | undefined;
  readonly body: Buffer;
  readonly chunks: readonly Uint8Array[];
}

/** What a test may be about: a flow, of which all is wanted, or one with its valve. */
export type Events = Flow<SourceEvent> | Observable<SourceEvent>;
export const eventsOf = (events: Events): Observable<SourceEvent> =>
  typeof events === 'function' ? events(OPEN) : events;

/** All events of a source. Fails unless exactly one head comes, and first. */
export const collect = (events: Events): Promise<Collected> =>
  new Promise((resolve, reject) => {
    let head: SourceHead | undefined;
    const chunks: Uint8Array[] = [];
    eventsOf(events).subscribe({
      next: (event) => {
        if ((event.type === 'head') !== (head === undefined)) reject(new Error(`${event.type} out of order`));
        if (event.type === 'head') head = event;
        // Lent bytes change after this call.
        else chunks.push(Buffer.from(event.bytes));
      },
      error: reject,
      complete: () => resolve({ head, chunks, body: Buffer.concat(chunks) }),
    });
  });

/** The StreamError that a source ends with. */
export const failureOf = async (events: Events): Promise<StreamError> => {
  const error = await collect(events).then(
    () => new Error('completed, expected a failure'),
    (reason: unknown) => reason,
  );
  if (error instanceof StreamError) return error;
  throw error;
};

/** A GET from byte 0. */
export const anAsk = (more: Partial<Ask> = {}): Ask => ({ method: 'GET', from: 0, ...more });

export const always = (state: boolean): Observable<boolean> => NEVER.pipe(startWith(state));

export const at = (url: string, more: Partial<Usable> = {}): Usable => aCandidate('test', anEntry(), { url, ...more });

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const someBytes = (length: number): Buffer => randomBytes(length);
