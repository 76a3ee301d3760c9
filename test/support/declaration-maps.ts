import { existsSync, globSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The names that the declarations below a folder export, and what the source has where their map
 * leads: nothing without a map or a source.
 */
export const followedMaps = (folder: string): readonly (readonly [name: string, found: string])[] =>
  globSync('**/*.d.ts', { cwd: folder }).flatMap((file) => {
    const path = join(folder, file);
    const map = existsSync(`${path}.map`) ? new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))) : undefined;
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, at) => {
        const [all = '', name = ''] =
          /^export (?:declare )?(?:const|class|interface|type) (?!\{)(\w+)/.exec(line) ?? [];
        const found = placeOf(map, dirname(path), at, all.length - name.length);
        return name === '' ? [] : [[name, found.slice(0, name.length)] as const];
      });
  });

const placeOf = (map: SourceMap | undefined, folder: string, line: number, column: number): string => {
  const entry = map?.findEntry(line, column);
  if (!entry || !('originalSource' in entry)) return '';
  const source = join(folder, entry.originalSource);
  if (!existsSync(source)) return '';
  return readFileSync(source, 'utf8').split('\n')[entry.originalLine]?.slice(entry.originalColumn) ?? '';
};
