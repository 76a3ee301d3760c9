import { expect, it } from '@jest/globals';
import { repoFile } from '../../../../src/catalog/client-files/dnf.ts';

const repository = (prefix: string) => ({ prefix, selection: {}, url: `http://a${prefix}/` });

it('names each section differently, since dnf ignores the second of a name', () => {
  const file = repoFile([repository('/el/9'), repository('/el-9'), repository('/el 9'), repository('')]);
  expect(file.match(/^\[.*\]$/gm)).toEqual(['[el-9]', '[el-9-2]', '[el-9-3]', '[pulp-streamer]']);
});
