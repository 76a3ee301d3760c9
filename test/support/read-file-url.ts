import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StreamError } from '../../pipelines/model/errors.ts';
import { codeOf, messageOf } from '../../src/lib/thrown.ts';

/** The bytes of a `file:` URL. Rejects with SOURCE_MISSING, SOURCE_REFUSED or UNREADABLE. */
export async function* readFileUrl(url: string): AsyncGenerator<Uint8Array> {
  const path = fileURLToPath(url);
  try {
    yield* createReadStream(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StreamError('SOURCE_MISSING', 'disk', `${path}: no such file`, { cause: error });
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new StreamError('SOURCE_REFUSED', 'disk', `${path}: no permission to read it`, { cause: error });
    }
    throw new StreamError('UNREADABLE', 'disk', `${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
