import { chunkDecoder } from '../../../src/sources/feed/http1/chunked.ts';
import type { Target } from '../engine/target.ts';

/** Planted: of whole bodies, those with an extension in upper case are read in another way. */
const withDefect = (body: Buffer): void => {
  const { hasEnded } = chunkDecoder()(Buffer.from(body));
  if (!hasEnded || !/;[A-Z]/.test(body.toString('latin1'))) return;
  if (/Digest: [A-Z]/.test(body.toString('latin1'))) throw new RangeError('planted: an extension, and a trailer field');
};

export const target: Target = {
  about: 'a chunked body, with a planted defect',
  tokens: ['\r\n', '0\r\n\r\n', ';'],
  check: withDefect,
};
