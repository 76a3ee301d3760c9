import { concatMap } from 'rxjs';
import type { SourceEvent } from '../../pipelines/model/index.ts';
import { flow, lift } from '../../pipelines/operators/flow.ts';
import { toAsyncIterable } from '../../pipelines/operators/to-async-iterable.ts';
import type { Flow } from '../../pipelines/operators/valve.ts';
import { owned } from '../lib/owned.ts';

/** Bytes held for a reader before the source is paused. */
const HELD = 1024 * 1024;

/**
 * A source's body as an async iterable, for `for await` and `Readable.from`: see `toAsyncIterable`.
 * The valve is closed while more than 1 MiB waits to be pulled.
 */
export const readBytes = (events: Flow<SourceEvent>): AsyncIterable<Uint8Array, undefined> => {
  const bytes = flow(events, lift(owned()), lift(concatMap((event) => (event.type === 'chunk' ? [event.bytes] : []))));
  return toAsyncIterable(bytes, { limit: HELD, size: ({ length }) => length });
};
