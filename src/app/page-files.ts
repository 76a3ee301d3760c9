import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Endpoint } from '../http/admin/endpoint.ts';
import { file } from '../http/admin/files.ts';
import { packageRoot } from './version.ts';

const SCRIPT = 'text/javascript';

/**
 * The files of the live page. In the package it is one script, made by `npm run build`. In a clone the
 * browser loads the modules themselves, without their types.
 */
export const pageFiles = (): readonly Endpoint[] => {
  const built = !import.meta.filename.endsWith('.ts');
  const folder = join(packageRoot, built ? 'dist/live' : 'src/observe/live');
  const page = built ? folder : join(folder, 'page');
  const read = (path: string) => () => readFileSync(path, 'utf8');
  return [
    file('/', 'text/html', read(join(page, 'live.html'))),
    file('/live.css', 'text/css', read(join(page, 'live.css')), false),
    ...(built
      ? [file('/live.js', SCRIPT, read(join(folder, 'live.js')), false)]
      : [
          file('/live.js', SCRIPT, () => "import './page/live.ts';\n", false),
          ...globSync('{page,model}/*.ts', { cwd: folder }).map((path) =>
            file(`/${path}`, SCRIPT, () => stripTypeScriptTypes(read(join(folder, path))()), false),
          ),
        ]),
  ];
};
