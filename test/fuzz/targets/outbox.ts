import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { PendingSaveRequest } from '../../../pipelines/model/index.ts';
import { isRecord } from '../../../src/lib/record.ts';
import { celeryMessage } from '../../../src/saves/celery/message.ts';
import { reservedTask, saveTask, tagsOf } from '../../../src/saves/celery/save-task.ts';
import { keyOf, placeOf } from '../../../src/saves/copies/names.ts';
import { openSavesTable } from '../../../src/saves/outbox/table.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf } from '../invariants/outcome.ts';

const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'outbox.db');
const table = openSavesTable(file, 0);
const other = new DatabaseSync(file);

const TEMPLATE = { name: 'save', args: ['{path}', '{entry}'], kwargs: { unit: '{unit_id}', from: '{url}' } };
const ENTRY = { path: '/a', importerId: 'i', unitId: 'u', unitTypeId: 'rpm', url: 'http://a/', revision: 1, data: {} };
const COLUMNS = {
  unit_id: 'u',
  path: '/a',
  request_id: 'r',
  traceparent: null,
  tracestate: null,
  entry: JSON.stringify(ENTRY),
  noted_at: 0,
  due_at: 0,
  failures: 0,
  reason: null,
};

/** Delivers a save request in every way. */
const deliver = (save: PendingSaveRequest): void => {
  const { entry } = save;
  assert.ok(
    placeOf('/copies', entry, keyOf(entry), '0'.repeat(64)).startsWith('/copies/'),
    'a copy outside of its folder',
  );
  const task = saveTask(save, TEMPLATE);
  for (const one of [task, reservedTask(save, task, 'reserve')])
    for (const protocol of [1, 2] as const) {
      const { body, properties } = celeryMessage(one, { protocol, origin: 'gen1@a' });
      const said = JSON.parse(body);
      assert.deepEqual(protocol === 1 ? said.args : said[0], JSON.parse(JSON.stringify(one.args)));
      assert.equal(properties.correlationId, one.id);
    }
  assert.ok(tagsOf(entry).every((tag) => typeof tag === 'string'));
};

/** Writes a row as another program could: the columns that are given, and the entry as a value or a text. */
const write = (given: Readonly<Record<string, unknown>>): boolean => {
  const { entry, ...rest } = { ...COLUMNS, ...given };
  const row = { ...rest, entry: typeof entry === 'string' ? entry : JSON.stringify(entry) };
  const names = Object.keys(COLUMNS);
  const insert = other.prepare(`INSERT INTO saves (${names}) VALUES (${names.map((name) => `:${name}`)})`);
  const values = Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
  // Its types and conditions refuse many.
  return !(
    'error' in outcomeOf(() => insert.run(values as Record<string, SQLInputValue>), Error, TypeError, RangeError)
  );
};

export const target: Target = {
  about: 'rows of the outbox that other programs wrote, and what is delivered of them',
  tokens: [
    ...['{', '}', '[', ']', '"', ':', ',', 'null', 'true', '-1', '1e400', '9007199254740993', '\\u0000', '\\ud800'],
    ...['"entry":', '"path":"/a"', '"unit_id":"u"', '"failures":', '"due_at":', '"traceparent":"', '"reason":"a"'],
    ...['"importerId":"i"', '"unitId":"u"', '"unitTypeId":"rpm"', '"url":"http://a/"', '"revision":1', '"data":{}'],
    ...['"checksum":{"algorithm":"sha256","value":"', '0'.repeat(64), '"size":1', '__proto__', '"toString"', '{path}'],
  ],
  check: (input) => {
    other.exec('DELETE FROM saves');
    const json = outcomeOf(() => JSON.parse(input.toString()), SyntaxError);
    if ('error' in json || !isRecord(json.result)) return;
    // As a row, and as the entry of one.
    for (const given of [json.result, { path: '/b', entry: { ...ENTRY, ...json.result } }]) write(given);
    for (const id of table.due(Number.MAX_SAFE_INTEGER, 2)) {
      const save = table.get(id);
      if (save !== undefined && save !== 'odd') deliver(save);
    }
    for (const { id, age, entry } of table.list(0)) {
      assert.ok(Number.isSafeInteger(id) && Number.isFinite(age));
      assert.deepEqual([typeof entry.unitId, typeof entry.path], ['string', 'string']);
    }
    assert.ok(table.depth(0).waiting <= 2);
  },
};
