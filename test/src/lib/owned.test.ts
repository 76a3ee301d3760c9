import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of } from 'rxjs';
import type { SourceEvent } from '../../../pipelines/index.ts';
import { lend, loanOf } from '../../../src/lib/lent-buffers.ts';
import { owned } from '../../../src/lib/owned.ts';
import { chunk, sourceHead } from '../../support/pipeline.ts';

describe('owned events', () => {
  it('have bytes that do not change when the loan ends', async () => {
    const memory = lend(0);
    memory.write('abc');
    const event: SourceEvent = { type: 'chunk', bytes: memory.subarray(0, 3), loan: loanOf(memory) };
    const received = await firstValueFrom(of(event).pipe(owned()));
    loanOf(memory)?.release();
    expect(received).toEqual({ type: 'chunk', bytes: Buffer.from('abc') });
  });

  it.each([chunk('abc'), sourceHead()])('are the same if nothing is lent', async (event) =>
    expect(await firstValueFrom(of<SourceEvent>(event).pipe(owned()))).toBe(event),
  );
});
