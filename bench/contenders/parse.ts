/** The least that reading metadata costs: the streamer’s parser and digests, without handlers. `parse.ts FILE` */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { SaxesParser } from 'saxes';

const [file = ''] = process.argv.slice(2);
const [closed, opened] = [createHash('sha256'), createHash('sha256')];
const parser = new SaxesParser();
parser.on('opentag', () => {});
const decoder = new TextDecoder();
const compressed = createReadStream(file).on('data', (bytes) => closed.update(bytes));
for await (const bytes of compressed.pipe(createGunzip())) {
  opened.update(bytes);
  parser.write(decoder.decode(bytes, { stream: true }));
}
parser.close();
closed.digest('hex');
opened.digest('hex');
