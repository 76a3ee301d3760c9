import { catchError, throwError } from 'rxjs';
import {
  type ByteRange,
  type CatalogEntry,
  isSmall,
  type Keep,
  type Policy,
  resolveRange,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { follow } from '../operators/follow.ts';
import { fuse } from '../operators/fuse.ts';
import { given } from '../operators/operate.ts';
import { cutPart } from './cut-part.ts';
import type { Transfer } from './transfer.ts';

export interface CutPartsDeps {
  readonly policy: Pick<Policy, 'verifyWholeBelow' | 'savePartial'>;
  readonly keep?: Keep;
}

/**
 * Answers a request for one range from a transfer of the whole, which all requests for the content
 * share, if its source sends no parts, or if the content is so small that the whole is verified
 * first. Otherwise the range is its own transfer, unless that fails with `NEEDS_WHOLE`.
 *
 * The last bytes of a part of small content leave when the whole has ended: verified, kept, and
 * recorded like any other. A part of larger content ends with its last byte.
 */
export const cutParts =
  ({ policy, keep }: CutPartsDeps, transfer: Transfer): Transfer =>
  (request) => {
    const [range] = request.ranges ?? [];
    if (request.method !== 'GET' || !range) return transfer(request);

    return follow((entries: readonly CatalogEntry[], valve) => {
      const [entry] = entries;
      const all = wantsAll(range, entry?.size);
      const fromWhole = () => {
        const whole = transfer(wholeOf(request, all || keep !== undefined || policy.savePartial));
        return given(entries, fuse(whole, cutPart(range, request.conditions?.ifRange, policy)))(valve);
      };
      if (all || (entry && isSmall(entry, policy))) return fromWhole();
      return given(
        entries,
        transfer(request),
      )(valve).pipe(
        catchError((error: unknown) =>
          error instanceof StreamError && error.code === 'NEEDS_WHOLE' ? fromWhole() : throwError(() => error),
        ),
      );
    });
  };

const wantsAll = (range: ByteRange, size: number | undefined): boolean => {
  if (size === undefined) return range.first === 0 && range.last === undefined;
  const part = resolveRange(range, size);
  return part !== undefined && part.last - part.first + 1 === size;
};

/** The request for the whole. Without its own conditions it can be shared. */
export const wholeOf = (request: StreamRequest, saves: boolean): StreamRequest => {
  const { ifRange, ...conditions } = request.conditions ?? {};
  const isConditional = Object.values(conditions).some((condition) => condition !== undefined);
  return {
    ...request,
    ranges: [],
    cut: true,
    conditions: isConditional ? conditions : undefined,
    save: request.save && saves,
  };
};
