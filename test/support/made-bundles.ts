import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTarPacker } from 'modern-tar';
import { sha256 } from './pipeline.ts';

/** A bundle of these files with a manifest that is right, unless it is one of them, in a folder. */
export const madeBundle = async (
  folder: string,
  files: Readonly<Record<string, string>>,
  about: { readonly mtime?: Date } = {},
): Promise<string> => {
  const list = Object.entries(files).map(([name, text]) => ({ name, size: text.length, sha256: sha256(text) }));
  const manifest = JSON.stringify({ format: 1, version: '0', made: 'now', kind: 'bundle', files: list });
  const { readable, controller } = createTarPacker();
  const chunks: Uint8Array[] = [];
  const read = (async () => {
    for await (const chunk of readable) chunks.push(chunk);
  })();
  const all = files['manifest.json'] === undefined ? { ...files, 'manifest.json': manifest } : files;
  for (const [name, text] of Object.entries(all)) {
    const writer = controller.add({ name, size: text.length, ...about }).getWriter();
    await writer.write(Buffer.from(text));
    await writer.close();
  }
  controller.finalize();
  await read;
  const file = join(folder, 'made.bundle');
  writeFileSync(file, Buffer.concat(chunks));
  return file;
};

/** A repository of a bundle. */
export const carriedRepository = (more: object = {}) => ({
  ...{ prefix: '/r', format: 'yum', feed: 'http://feed.example/', selection: {}, succeeded: 1 },
  ...{ entries: 'entries/0.jsonl', ...more },
});

/** One of its entries, of a text. */
export const carriedEntry = (path: string, text: string, more: object = {}) => ({
  ...{ path, unit_id: path, unit_type_id: 'rpm', url: 'http://feed.example/file' },
  ...{ checksum: sha256(text), checksum_algorithm: 'sha256', size: text.length, ...more },
});

/** The files of a bundle of one repository, with texts at some paths. */
export const carriedFiles = (texts: Readonly<Record<string, string>>, repository: object = {}) => ({
  ...Object.fromEntries(Object.values(texts).map((text) => [`files/sha256-${sha256(text)}`, text])),
  'entries/0.jsonl': Object.entries(texts)
    .map(([path, text]) => JSON.stringify(carriedEntry(path, text)))
    .join('\n'),
  'repositories.json': JSON.stringify([carriedRepository(repository)]),
});
