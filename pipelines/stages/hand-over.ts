import { concat, concatMap, defer, EMPTY, takeWhile } from 'rxjs';
import type { Candidate, Head, Header, Note, StreamRequest } from '../model/index.ts';
import { follow } from '../operators/follow.ts';
import { given } from '../operators/operate.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/**
 * Lets the proxy that asks send a file itself: the response has no body, but names the file.
 * Conditions are judged before; `If-Range` and ranges are left to the proxy.
 *
 * Only for a GET of a file that is tried first and that the proxy can reach. Its head is requested
 * from its source as for HEAD, so it exists and has the size in the catalog. Nothing else is proven,
 * and nothing is saved. Any other request, and any other source, is a transfer as usual.
 */
export const handOver =
  (transfer: Transfer): Transfer =>
  ({ handOver, ...request }) => {
    if (!handOver || !isSimple(request)) return transfer(request);

    return follow((entries, valve) =>
      defer(() => {
        const notes: Note[] = [];
        let refused = false;
        const asked: StreamRequest = { ...request, method: 'HEAD', ranges: [], conditions: {} };
        const pointing = given(
          entries,
          transfer(asked),
        )(valve).pipe(
          takeWhile((event) => {
            refused ||= isRefused(event, handOver);
            return !refused;
          }),
          concatMap((event): readonly TransferEvent[] => {
            if (event.type === 'head') return [...notes.splice(0), pointer(event, handOver)];
            if (event.type === 'chunk' || event.type === 'failed') return [event];
            notes.push(event);
            return [];
          }),
        );
        return concat(
          pointing,
          defer(() => (refused ? given(entries, transfer(request))(valve) : EMPTY)),
        );
      }),
    );
  };

type HandOver = NonNullable<StreamRequest['handOver']>;

/** Whether a proxy can answer it with a file, as far as its conditions are concerned. */
const isSimple = ({ method, slice, conditions = {} }: StreamRequest): boolean => {
  const { ifRange: _, ...others } = conditions;
  return method === 'GET' && !slice && Object.values(others).every((condition) => condition === undefined);
};

const isRefused = (event: TransferEvent, handOver: HandOver): boolean =>
  (event.type === 'attempt' || event.type === 'head') && fieldFor(event.candidate, handOver) === undefined;

const fieldFor = (candidate: Candidate, handOver: HandOver): Header | undefined =>
  candidate.problem || candidate.outdated ? undefined : handOver(candidate);

/** The proxy itself states that it has ranges. */
const pointer = (head: Head, handOver: HandOver): Head => {
  const field = fieldFor(head.candidate, handOver);
  const others = head.headers.filter(([name]) => name.toLowerCase() !== 'accept-ranges');
  return { ...head, length: 0, whole: false, handedOver: true, headers: field ? [...others, field] : others };
};
