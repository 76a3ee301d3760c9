import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { all } from './all.ts';

for (const [file, content] of all()) {
  const path = join(import.meta.dirname, '../..', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
