import assert from 'node:assert/strict';
import { StreamError } from '../../../pipelines/model/errors.ts';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';
import { maskSecrets, parseImporterConfig } from '../../../src/catalog/importer-config.ts';
import { idOf, wholeOf } from '../../../src/catalog/mongodb/documents.ts';
import { toEntry } from '../../../src/catalog/mongodb/entries.ts';
import { configOf } from '../../../src/catalog/mongodb/importers.ts';
import { type EntryRow, toEntry as entryOfRow } from '../../../src/catalog/sqlite/rows.ts';
import { OddEntry } from '../../../src/repositories/odd-entry.ts';
import { brokerAddresses } from '../../../src/saves/celery/amqp/address.ts';
import { celeryMessage } from '../../../src/saves/celery/message.ts';
import { pythonRepr } from '../../../src/saves/celery/python-repr.ts';
import { saveTask } from '../../../src/saves/celery/save-task.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf, outcomeOfAsync } from '../invariants/outcome.ts';

const FOLDERS = { storageDir: '/nonexistent', pluginConfigDir: '/nonexistent' };

const checkEntry = (entry: CatalogEntry): void => {
  assert.ok(Number.isFinite(entry.revision));
  assert.ok(entry.size === undefined || (Number.isSafeInteger(entry.size) && entry.size >= 0));
  const template = { name: 'save', args: ['{path}', '{entry}'], kwargs: { unit: '{unit_id}' } };
  const task = saveTask({ id: 1, requestId: 'r', failures: 0, entry }, template);
  for (const protocol of [1, 2] as const) {
    const { body, headers } = celeryMessage(task, { protocol, origin: 'gen1@a' });
    const said = JSON.parse(body);
    assert.deepEqual(protocol === 1 ? said.args : said[0], JSON.parse(JSON.stringify(task.args)));
    assert.ok(String(headers.argsrepr ?? '').length < 4096);
  }
};

/** A row of a table that is strict about types, so others can only write texts and numbers. */
const rowOf = (document: Readonly<Record<string, unknown>>): EntryRow => {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const optional = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    path: text(document.path),
    importer_id: text(document.importer_id),
    unit_id: text(document.unit_id),
    unit_type_id: text(document.unit_type_id),
    url: text(document.url),
    checksum: optional(document.checksum),
    checksum_algorithm: optional(document.checksum_algorithm),
    size: typeof document.size === 'number' ? document.size : null,
    revision: wholeOf(document.revision),
    data: JSON.stringify(document.data ?? {}),
    prefix: optional(document.prefix),
    replaced: Number(document.replaced === true),
  };
};

export const target: Target = {
  about: 'documents of MongoDB, rows of SQLite, importers, and the Celery messages that are made of them',
  tokens: [
    ...[
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      'null',
      'true',
      '1e400',
      '-1',
      '"importer_id":"a"',
      '"unit_id":"a"',
      '"url":"http://a/"',
    ],
    ...[
      '"unit_type_id":"rpm"',
      '"checksum":"',
      '"checksum_algorithm":"sha256"',
      '0'.repeat(64),
      '"revision":1',
      '"data":{"size":1}',
    ],
    ...[
      '"repo_id":"a"',
      '"importer_type_id":"yum_importer"',
      '"config":{"feed":"http://a/"}',
      '"ssl_validation":"true"',
      '"headers":{}',
    ],
    ...[
      '"mirrors":{"http://a/":["http://b/"]}',
      '"proxy_port":1',
      '"toString":1',
      '__proto__',
      '"constructor"',
      '\\ud800',
    ],
  ],
  check: async (input) => {
    const text = input.toString();
    outcomeOf(() => brokerAddresses(text), Error);
    const json = outcomeOf(() => JSON.parse(text), SyntaxError);
    if ('error' in json || typeof json.result !== 'object' || json.result === null) return;
    const document = json.result;
    assert.equal(typeof idOf(document), 'string');
    assert.ok(Number.isFinite(wholeOf(document.revision)));
    assert.ok(pythonRepr(document).length <= 2 * 1024 + 5);
    const entry = outcomeOf(() => toEntry('/a', document), Error, OddEntry);
    if ('result' in entry) checkEntry(entry.result);
    outcomeOf(() => entryOfRow(rowOf(document)), Error, OddEntry);
    const config = outcomeOf(() => parseImporterConfig('i', document.config), StreamError);
    if ('result' in config) maskSecrets(config.result);
    await outcomeOfAsync(() => configOf('i', document, FOLDERS), StreamError);
  },
};
