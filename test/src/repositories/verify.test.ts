import { describe, expect, it } from '@jest/globals';
import { StreamError } from '../../../pipelines/model/index.ts';
import { openOptional } from '../../../src/repositories/read.ts';
import { parseVerified } from '../../../src/repositories/verify.ts';
import { sha256 } from '../../support/importing.ts';

const HELLO = { checksum: { algorithm: 'sha256', value: sha256('hello') }, size: 5 } as const;

/**
 * Letters as chunks, then a failure if one is given. `closed` shows that the source was released.
 */
const makeSource = (letters: string, failure?: Error) => {
  const state = { closed: false };
  const bytes = (async function* () {
    try {
      for (const letter of letters) yield Buffer.from(letter);
      if (failure) throw failure;
    } finally {
      state.closed = true;
    }
  })();
  return { bytes, state };
};

async function* asText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const chunk of bytes) yield Buffer.from(chunk).toString();
}

const readAll = async (texts: AsyncIterable<string>): Promise<string> => {
  let all = '';
  for await (const text of texts) all += text;
  return all;
};

describe('bytes that are verified while they are parsed', () => {
  it('pass if they are as expected', async () => {
    expect(await readAll(parseVerified('x', makeSource('hello').bytes, HELLO, asText))).toBe('hello');
  });

  it('must have the expected digest and size', async () => {
    await expect(readAll(parseVerified('x', makeSource('hullo').bytes, HELLO, asText))).rejects.toThrow(
      `x: expected sha256 ${sha256('hello')}, found ${sha256('hullo')}`,
    );
    await expect(readAll(parseVerified('x', makeSource('hell').bytes, { size: 5 }, asText))).rejects.toThrow(
      'x: expected 5 bytes, found 4',
    );
  });

  it('report an error of the source before the digest, and the digest before the parser', async () => {
    const lost = new Error('connection lost');
    const fail = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
      for await (const text of asText(bytes)) {
        if (text === 'l') throw new Error('unexpected l');
        yield text;
      }
    };
    const read = (letters: string, failure?: Error) =>
      readAll(parseVerified('x', makeSource(letters, failure).bytes, HELLO, fail));
    await expect(readAll(parseVerified('x', makeSource('he', lost).bytes, HELLO, asText))).rejects.toBe(lost);
    await expect(read('hell', lost)).rejects.toBe(lost);
    await expect(read('hell')).rejects.toThrow('x: expected sha256');
    await expect(read('hello')).rejects.toThrow('unexpected l');
  });

  it('are read to their end if the parser stops early', async () => {
    const first = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
      for await (const text of asText(bytes)) {
        yield text;
        return;
      }
    };
    expect(await readAll(parseVerified('x', makeSource('hello').bytes, HELLO, first))).toBe('h');
    await expect(readAll(parseVerified('x', makeSource('hello!').bytes, HELLO, first))).rejects.toThrow('x: expected');
  });

  it('are released when the consumer stops', async () => {
    const { bytes, state } = makeSource('hello');
    for await (const text of parseVerified('x', bytes, HELLO, asText)) if (text === 'e') break;
    expect(state.closed).toBe(true);
  });
});

describe('a file that may not exist', () => {
  const open = (code: 'SOURCE_MISSING' | 'SOURCE_REFUSED' | 'CONNECTION_LOST') =>
    openOptional(makeSource('', new StreamError(code, 'feed', code)).bytes);

  it('is absent if the repository answers 404, or 403 like an object store', async () => {
    expect(await open('SOURCE_MISSING')).toBeUndefined();
    expect(await open('SOURCE_REFUSED')).toBeUndefined();
  });

  it('is not absent after any other failure', async () => {
    await expect(open('CONNECTION_LOST')).rejects.toThrow('CONNECTION_LOST');
  });

  it('is complete if it exists, even if it is empty', async () => {
    const read = async (letters: string) => {
      const bytes = await openOptional(makeSource(letters).bytes);
      return bytes && readAll(asText(bytes));
    };
    expect(await read('hello')).toBe('hello');
    expect(await read('')).toBe('');
    const { bytes, state } = makeSource('hello');
    for await (const _ of (await openOptional(bytes)) ?? []) break;
    expect(state.closed).toBe(true);
  });
});
