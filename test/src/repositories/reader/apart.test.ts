import { describe, expect, it } from '@jest/globals';
import { StreamError } from '../../../../pipelines/model/index.ts';
import type { Format } from '../../../../src/repositories/format.ts';
import { apart } from '../../../../src/repositories/reader/apart.ts';
import { LIMITS, type Limits } from '../../../../src/repositories/reader/guard.ts';
import { readFiles } from '../../../support/importing.ts';

const module = new URL('../../../support/readers.ts', import.meta.url).href;
const MIB = 1024 ** 2;

const reading = (reader: string, limits: Partial<Limits> = {}): Format =>
  apart(reader, { module, limits: { ...LIMITS, ...limits } });

describe('a reader in a process of its own', () => {
  it.each([
    ['its objects', 'heap', { heap: 32 * MIB }, /it needs more than 32 MiB of JavaScript objects$/],
    ['its buffers', 'buffers', { memory: 200 * MIB }, /it needs more than 200 MiB of memory$/],
    ['its WebAssembly', 'wasm', { memory: 200 * MIB }, /it needs more than 200 MiB of memory$/],
    ['its silence', 'time', { silence: 1_000 }, /it worked for 1000 ms and produced nothing$/],
    ['its rest', 'idle', { silence: 700 }, /it produced nothing for 7000 ms$/],
    ['its work', 'busy', { work: 1_000 }, /it has worked for more than 1000 ms$/],
    ['native code', 'killed', {}, /SIGSEGV$/],
    ['native code, in the middle of a message', 'torn', {}, /SIGSEGV$/],
  ])('that dies of %s ends with the file, the place and the reason', async (_, reader, limits, reason) => {
    const error = await readFiles(reading(reader, limits), { index: 'abc' }).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    const place = reader === 'busy' ? /^https:\/\/test\/repo\/: / : /^index, after 3 bytes: /;
    expect(error?.message).toMatch(place);
    expect(error?.message).toContain(': the process that reads metadata ended: ');
    expect(error?.message).toMatch(reason);
  });

  it.each([
    ['more files than any repository has', 'many', 'index: more than 5000000 files'],
    ['more indices that are missing than any repository lists', 'lacking', '1000: more than 1000 indices are missing'],
    [
      'a file about which there is too much to say',
      'wordy',
      'index: item 1: more than 65536 characters about one file',
    ],
    ['a file of more bytes than its metadata says', 'stated', 'index: more than 2 bytes'],
  ])('refuses %s', async (_, reader, message) => {
    await expect(readFiles(reading(reader), { index: 'abc' })).rejects.toThrow(new Error(message));
  });

  it('never makes its parent read a long message at once', async () => {
    const { items, leftOut } = await readFiles(reading('verbose'), {});
    expect(items.length).toBe(100);
    expect(leftOut).toEqual([`${'x'.repeat(1000)} …`]);
  });

  it('yields the items in order, in spite of a slow consumer', async () => {
    const { items } = await readFiles(reading('bytes'), { index: 'x'.repeat(5_000) });
    expect(items.map(({ path }) => path)).toEqual(Array.from({ length: 5_000 }, (_, index) => `${index}`));
  });

  it('may leave a file, and reports missing ones', async () => {
    const { items, missing } = await readFiles(reading('leaves'), { index: 'x'.repeat(1e6), other: '123' });
    expect(items.map(({ path }) => path)).toEqual(['3']);
    expect(missing).toEqual(['nothing']);
  });

  it('fails with the error of the source itself', async () => {
    const failure = new StreamError('STALLED', 'feed', 'nothing came');
    const reader = reading('bytes')(
      {
        base: 'test:///',
        missing: () => {},
        leftOut: () => {},
        bypassed: () => {},
        read: async function* () {
          yield Buffer.from('a');
          throw failure;
        },
      },
      {},
    );
    await expect(
      (async () => {
        for await (const _ of reader);
      })(),
    ).rejects.toBe(failure);
  });

  it('stops reading when its consumer leaves', async () => {
    const left = Promise.withResolvers<void>();
    const reader = reading('bytes')(
      {
        base: 'test:///',
        missing: () => {},
        leftOut: () => {},
        bypassed: () => {},
        read: async function* () {
          try {
            for (;;) yield Buffer.alloc(1_000);
          } finally {
            left.resolve();
          }
        },
      },
      {},
    );
    for await (const _ of reader) break;
    await left.promise;
  });

  it('knows no secret of the environment', async () => {
    process.env.SECRET_OF_PARENT = 'hidden';
    const { items } = await readFiles(reading('environment'), {});
    delete process.env.SECRET_OF_PARENT;
    expect(items[0]?.path).toBe('{}');
  });
});
