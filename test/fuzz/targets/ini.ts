import assert from 'node:assert/strict';
import { readDescriptors } from '../../../src/alternates/descriptors/parse.ts';
import { PLAIN, PULP } from '../../../src/config/dialects.ts';
import { parseDescriptor, parseIni } from '../../../src/config/ini.ts';
import type { Target } from '../engine/target.ts';

/** Texts of all values may be longer than the file, by references; not without bound. */
const EXPANDED = 64 * 1024 * 1024;

export const target: Target = {
  about: 'INI files in three dialects, and descriptors of alternate sources',
  tokens: [
    ...['[a]\n', '[DEFAULT]\n', 'a: b\n', 'a = b\n', '%(a)s', '%%', '"', '\\', ' ;', '#', 'rem ', '\n ', '"\\u0000"'],
    ...[
      'enabled: 1\n',
      'type: yum\n',
      'base_url: http://a.example/\n',
      'file:///a/',
      'expires: 1d\n',
      'paths: a/ b/\n',
    ],
    ...[
      'max_concurrent: 2\n',
      'max_speed: 1\n',
      'ssl_validation: no\n',
      'proxy_url: http://p\n',
      'headers: A=b\n',
      '__name__',
    ],
    ...['priority: 0\n', '__proto__', 'constructor', 'a[]'],
  ],
  check: (input) => {
    const text = input.toString();
    const files = [PLAIN, PULP].map((dialect) => parseIni(text, 'a.conf', dialect));
    const descriptor = parseDescriptor(text, 'd.conf');
    for (const { sections, problems } of [...files, descriptor]) {
      assert.ok(problems.every((problem) => /^[ad]\.conf:\d+: /.test(problem)));
      let size = 0;
      for (const values of sections.values())
        for (const { value, line } of values.values()) {
          size += value.length;
          assert.ok(line > 0, 'a value without a line');
        }
      assert.ok(size <= EXPANDED, 'values that grow without bound');
    }
    const { sources } = readDescriptors([descriptor], ['yum', 'rhui']);
    for (const { baseUrl, paths } of sources) {
      assert.match(baseUrl, /^(file|https?):.*\/$/s);
      assert.ok(paths.every((path) => path === '' || path.endsWith('/')));
      assert.ok(!paths.some((path) => path.split('/').includes('..')), 'a folder outside of its base');
    }
  },
};
