import { type MonoTypeOperatorFunction, map } from 'rxjs';
import type { Loan } from '../../pipelines/model/index.ts';

/**
 * Copies lent bytes, for consumers that may keep them. Emits, completes and errors as its source;
 * chunks without a loan pass.
 */
export const owned = <E extends { readonly type: string }>(): MonoTypeOperatorFunction<E> =>
  map((event) => {
    const { loan, bytes, ...rest } = event as E & { readonly loan?: Loan; readonly bytes?: Uint8Array };
    return loan && bytes ? ({ ...rest, bytes: Buffer.from(bytes) } as unknown as E) : event;
  });
