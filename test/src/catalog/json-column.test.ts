import { describe, expect, it } from '@jest/globals';
import { objectIn, unitKeyIn } from '../../../src/catalog/json-column.ts';
import { toEntry } from '../../../src/catalog/sqlite/rows.ts';

describe('a column of JSON that another program wrote', () => {
  it.each(['null', '5', '[]', '"a"', '{', ''])('is an error that names its place: %j', (text) => {
    const error = { name: 'OddEntry', message: '/a: data: expected an object in JSON, as this program writes it' };
    expect(() => objectIn(text, '/a: data')).toThrow(expect.objectContaining(error));
    const row = { path: '/a', importer_id: 'i', unit_id: 'u', unit_type_id: 'rpm', url: 'http://a/', revision: 1 };
    const rest = { checksum: null, checksum_algorithm: null, size: null, prefix: null, replaced: 0 };
    expect(() => toEntry({ ...row, ...rest, data: text })).toThrow(expect.objectContaining(error));
  });

  it('is a unit’s key only if it has texts and numbers', () => {
    expect(unitKeyIn('{"name":"a","size":1}', 'unit u')).toEqual({ name: 'a', size: 1 });
    expect(() => unitKeyIn('{"name":{}}', 'unit u')).toThrow('unit u: name: expected a text or a number');
  });
});
