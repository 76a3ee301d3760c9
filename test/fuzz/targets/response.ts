import assert from 'node:assert/strict';
import type { Header } from '../../../pipelines/model/index.ts';
import { Http1Error } from '../../../src/sources/feed/http1/errors.ts';
import { ResponseReader } from '../../../src/sources/feed/http1/response.ts';
import type { Target } from '../engine/target.ts';
import { chunkingsOf } from '../invariants/chunkings.ts';
import { outcomeOf } from '../invariants/outcome.ts';

interface Seen {
  status?: number;
  headers?: readonly Header[];
  body: string;
  taken: number;
  end: string;
}

/** Reads the bytes of a connection, in these pieces. */
const readAll = (pieces: readonly Buffer[]): Seen => {
  const seen: Seen = { body: '', taken: 0, end: '' };
  const reader = new ResponseReader('GET', {
    head: (status, headers) => Object.assign(seen, { status, headers }),
    data: (bytes) => {
      seen.body += bytes.toString('latin1');
    },
  });
  const outcome = outcomeOf(() => {
    for (const piece of pieces) {
      const taken = reader.read(piece);
      assert.ok(taken >= 0 && taken <= piece.length, 'takes more than there is');
      seen.taken += taken;
      if (reader.hasEnded) return 'ended';
    }
    return reader.close(true)?.message ?? 'closed';
  }, Http1Error);
  // How much was read before an error depends on the pieces.
  return 'error' in outcome ? { ...seen, taken: 0, end: 'malformed' } : { ...seen, end: outcome.result };
};

export const target: Target = {
  about: 'a response on a connection: head, framing, chunks, trailers',
  tokens: [
    ...['HTTP/1.1 ', 'HTTP/1.0 ', '100', '101', '103', '200', '204', '206', '304', '\r\n', '\r\n\r\n', ': ', ',', ';'],
    ...['Content-Length: ', 'Transfer-Encoding: chunked', 'Connection: close', 'keep-alive', 'Keep-Alive: timeout=5'],
    ...['0\r\n\r\n', '5\r\nhello\r\n', 'Trailer: x\r\n', 'ffffffffffffffff'],
  ],
  longest: 20_000,
  check: (input) => {
    const [whole, ...others] = chunkingsOf(input).map(readAll);
    for (const other of others) assert.deepEqual(other, whole, 'another result in other pieces');
    if (whole) assert.ok(whole.body.length <= input.length, 'a body that is longer than the bytes');
  },
};
