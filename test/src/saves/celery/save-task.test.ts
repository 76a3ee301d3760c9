import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { PendingSaveRequest } from '../../../../pipelines/model/index.ts';
import { checkTemplate, reservedTask, saveTask } from '../../../../src/saves/celery/save-task.ts';
import { anEntry } from '../../../support/pipeline.ts';

const VECTORS = new URL('../../../support/vectors/celery-messages.json', import.meta.url);
const { body: PULP } = JSON.parse(readFileSync(VECTORS, 'utf8')).messages.protocol1;

const path = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1-1.noarch.rpm';
const checksum = { algorithm: 'sha256', value: 'ab' } as const;
const save = (more: Partial<PendingSaveRequest> = {}): PendingSaveRequest => ({
  id: 7,
  requestId: 'r-1',
  failures: 0,
  entry: anEntry({ path, unitId: '0c4d-unit', checksum, size: 5, data: { relative_path: 'bear' } }),
  ...more,
});
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the task that saves a unit', () => {
  it('receives the catalog entry, in Pulp’s field names', () => {
    expect(saveTask(save(), { name: 'save', args: ['{entry}'], kwargs: {} })).toEqual({
      id: expect.stringMatching(UUID),
      name: 'save',
      args: [
        {
          path,
          importer_id: '0'.repeat(24),
          unit_id: '0c4d-unit',
          unit_type_id: 'rpm',
          url: 'http://feed/bear.rpm',
          checksum: 'ab',
          checksum_algorithm: 'sha256',
          size: 5,
          revision: 1,
          data: { relative_path: 'bear' },
        },
      ],
      kwargs: {},
    });
  });

  it('receives all other values of its template', () => {
    const template = {
      name: 'save',
      args: ['{unit_type_id}:{unit_id}', { deep: ['{url}', 1, null, true] }],
      kwargs: { where: 'at {path}', who: '{importer_id} {request_id}' },
    };
    expect(saveTask(save(), template)).toMatchObject({
      args: ['rpm:0c4d-unit', { deep: ['http://feed/bear.rpm', 1, null, true] }],
      kwargs: { where: `at ${path}`, who: `${'0'.repeat(24)} r-1` },
    });
  });

  it('takes no name for another placeholder', () => {
    const hostile = save({ entry: anEntry({ path: '/{unit_id}', unitId: '{entry}', url: 'http://h/{request_id}' }) });
    const template = { name: 'save', args: ['{unit_id}', '{path}', '{url}{unit_id}'], kwargs: {} };
    expect(saveTask(hostile, template).args).toEqual(['{entry}', '/{unit_id}', 'http://h/{request_id}{entry}']);
    const { args } = reservedTask(hostile, saveTask(hostile, template), 'reserve');
    expect(args[2]).toBe('content_unit:{entry}:/{unit_id}');
  });

  it('has the same id for each delivery of a save request, and another one for another save request', () => {
    const idOf = (one: PendingSaveRequest) => saveTask(one, { name: 'save', args: [], kwargs: {} }).id;
    expect(idOf(save({ failures: 3 }))).toBe(idOf(save()));
    const others = [save({ id: 8 }), save({ requestId: 'r-2' }), save({ entry: anEntry({ path, unitId: 'other' }) })];
    expect(new Set([save(), ...others].map(idOf)).size).toBe(4);
    expect(reservedTask(save(), { id: 'i', name: 'n', args: [], kwargs: {} }, 'r').id).not.toBe(idOf(save()));
  });
});

describe('the task that reserves a unit', () => {
  const NAME = 'pulp.server.async.tasks._queue_reserved_task';

  it('equals that of Pulp’s apply_async_with_reservation', () => {
    const template = { name: 'pulp.server.controllers.content._download_one', args: [{ path: '{path}' }], kwargs: {} };
    const inner = { ...saveTask(save(), template), id: PULP.args[1] };
    const { name, args, kwargs } = reservedTask(save(), inner, NAME);
    expect({ name, args, kwargs }).toEqual({ name: PULP.task, args: PULP.args, kwargs: PULP.kwargs });
  });

  it('passes keyword arguments in the form that apply_async expects', () => {
    const { args } = reservedTask(save(), { id: 'i', name: 'n', args: [1], kwargs: { a: 2 } }, NAME);
    expect(args[3]).toEqual([[1], { a: 2 }]);
  });
});

describe('a template', () => {
  it('is refused if it has an unknown placeholder', () => {
    expect(() => checkTemplate({ args: ['{unit_id}', '{entry}'], kwargs: { a: 'no braces' } })).not.toThrow();
    expect(() => checkTemplate({ args: [['{unit}']], kwargs: {} })).toThrow(
      'unknown placeholder {unit}, expected one of',
    );
    expect(() => checkTemplate({ args: [], kwargs: { a: 'the {entry}' } })).toThrow('unknown placeholder {entry}');
  });
});
