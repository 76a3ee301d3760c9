import { concat, defer, EMPTY, filter, map, of } from 'rxjs';
import {
  type Ask,
  type Candidate,
  errorSourceOf,
  etagOf,
  field,
  judge,
  type OpenSource,
  type SourceEvent,
  type SourceHead,
  type StreamRequest,
  type Unless,
  type Validators,
} from '../../model/index.ts';
import { deferFlow } from '../../operators/flow.ts';
import type { Flow } from '../../operators/valve.ts';
import type { Usable } from './open-parts.ts';

/**
 * Opens a candidate unless its content is in a state that the client has. A `304` is passed on, after
 * the source has ended, if its own fields prove the client's condition (`judge`). Otherwise the fields
 * of a HEAD may prove it; their status is then `304`, too. If not, the body is asked for.
 *
 * Emits and errors as the source does. Unsubscribing closes it.
 */
export const openUnless = (
  { conditions = {} }: Pick<StreamRequest, 'conditions'>,
  candidate: Usable,
  { unless, ...ask }: Ask,
  open: OpenSource,
): Flow<SourceEvent> => {
  const isProof = (head: SourceHead) => judge(conditions, validatorsOf(candidate, head)) === 304;
  return deferFlow((valve) => {
    let unproven: SourceHead | undefined;
    let proven: SourceHead | undefined;
    const note = (event: SourceEvent): boolean => {
      if (event.type !== 'head' || event.status !== 304) return true;
      if (isProof(event)) proven = event;
      else unproven = event;
      return false;
    };
    const byHead = defer(() =>
      open(candidate, { ...ask, method: 'HEAD' })(valve).pipe(
        map((event) => (event.type === 'head' && isProof(event) ? { ...event, status: 304 } : event)),
        filter((event) => note(event) && ask.method === 'HEAD'),
      ),
    );
    return concat(
      open(candidate, { ...ask, unless })(valve).pipe(filter(note)),
      defer(() => (unproven ? byHead : EMPTY)),
      defer(() => {
        if (proven) return of(proven);
        return unproven && ask.method === 'GET' ? open(candidate, ask)(valve) : EMPTY;
      }),
    );
  });
};

/**
 * The state in which no body is wanted, if the candidate must judge that. The catalog's checksum is
 * compared before. The fields of files are compared when they are opened.
 */
export const unlessOf = ({ conditions }: StreamRequest, candidate: Candidate): Unless | undefined => {
  const { entry, outdated } = candidate;
  if (!conditions) return undefined;
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = conditions;
  if (outdated || entry.replaced || errorSourceOf(candidate) === 'disk') return undefined;
  if (ifMatch || ifUnmodifiedSince !== undefined) return undefined;
  if (ifNoneMatch) return entry.checksum || ifNoneMatch.length === 0 ? undefined : { etags: ifNoneMatch };
  return ifModifiedSince === undefined ? undefined : { modifiedSince: ifModifiedSince };
};

/** The validators that a client receives with a source's head. */
export const validatorsOf = ({ entry }: Candidate, { headers }: SourceHead): Validators => ({
  etag: entry.checksum ? etagOf(entry.checksum) : field(headers, 'etag'),
  lastModified: entry.replaced ? undefined : field(headers, 'last-modified'),
});
