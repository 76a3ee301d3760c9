import { afterEach, describe, expect, it } from '@jest/globals';
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { EMPTY, firstValueFrom, lastValueFrom, type Observable, Subject } from 'rxjs';
import type { PendingSaveRequest } from '../../../pipelines/model/index.ts';
import { openSaveTarget, type SaveTarget } from '../../../src/app/save-target.ts';
import { connectMongo } from '../../../src/catalog/mongodb/connection.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { createConditions } from '../../../src/observe/conditions.ts';
import { channels } from '../../support/amqp.ts';
import { databaseSettings } from '../../support/database-settings.ts';
import { closedPort } from '../../support/feeds.ts';
import { describeMongo, mongodb, serverName } from '../../support/mongodb.ts';
import { anEntry } from '../../support/pipeline.ts';
import { itWithBroker, rabbitMq } from '../../support/rabbitmq.ts';
import { until } from '../../support/until.ts';

const logger = pino({ level: 'silent' });
const conditions = createConditions(logger);
const settingsOf = (flags: Readonly<Record<string, string>>) => loadSettings({ files: [], flags }).settings;
const save = (unitId: string): PendingSaveRequest => ({
  id: 1,
  requestId: 'r',
  failures: 0,
  entry: anEntry({ unitId }),
});
const over = (work: Observable<unknown>) => lastValueFrom(work, { defaultValue: undefined });

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});
const open = (
  flags: Readonly<Record<string, string>>,
  parts: Partial<Parameters<typeof openSaveTarget>[1]> = {},
): SaveTarget => {
  const opened = openSaveTarget(settingsOf(flags), { logger, conditions, ...parts });
  ending.push(opened.close);
  return opened;
};

describe('a dispatcher', () => {
  it.each([
    [{ dispatch: 'deferred' }, 'dispatch: deferred requires catalog_type = mongodb'],
    [{ dispatch: 'celery', brokerUrl: 'qpid://u:secret@h/' }, 'broker_url: expected a URL with scheme amqp, pyamqp'],
    [{ dispatch: 'celery', brokerUrl: '' }, 'broker_url: expected amqp://user:password@host:port/vhost'],
    [{ dispatch: 'celery', saveTaskArgs: '["{unit}"]' }, 'save_task_args: unknown placeholder {unit}'],
  ] as const)('is refused with settings %j', (flags, message) => {
    const opening = () => open(flags);
    expect(opening).toThrow(ConfigError);
    expect(opening).toThrow(message);
    expect(opening).not.toThrow('secret');
  });
});

it.each(['deferred', 'celery'])('tries again with %s what was put off, once the database is back', async (dispatch) => {
  const ready = new Subject<boolean>();
  const database = { ask: () => EMPTY, ready, isPrivate: true, close: async () => {} };
  const brokerUrl = `amqp://127.0.0.1:${await closedPort()}`;
  const { revived = EMPTY } = open({ dispatch, catalogType: 'mongodb', brokerUrl }, { database });
  const seen: unknown[] = [];
  const seeing = revived.subscribe((what) => seen.push(what));
  for (const one of [false, true, false, true]) ready.next(one);
  seeing.unsubscribe();
  expect(seen).toEqual([true, true]);
});

describeMongo(`deferred records with ${serverName}`, () => {
  const mongo = mongodb();
  const broker = rabbitMq();
  const channelTo = channels();

  const connect = async () => {
    const { url } = await mongo.server();
    const database = connectMongo(databaseSettings({ url, name: `dispatcher_${process.pid}` }), 20_000);
    ending.push(() => firstValueFrom(database.ask((db) => db.dropDatabase())).then(() => {}), database.close);
    const all = (name: string) => firstValueFrom(database.ask((db) => db.collection(name).find().toArray()));
    const units = (db: Db) => db.collection<{ readonly _id: string }>('units_rpm');
    await firstValueFrom(database.ask((db) => units(db).updateOne({ _id: 'a' }, { $set: {} }, { upsert: true })));
    return { database, all, records: () => all('deferred_download') };
  };

  it('are made once, also where several make the same at a time', async () => {
    const { database, records } = await connect();
    const unique = { unit_id: 1, unit_type_id: 1 } as const;
    await firstValueFrom(
      database.ask((db) => db.collection('deferred_download').createIndex(unique, { unique: true })),
    );
    const { dispatch } = open({ dispatch: 'deferred', catalogType: 'mongodb' }, { database });
    await Promise.all(Array.from({ length: 20 }, () => over(dispatch(save('a')))));
    expect(await records()).toMatchObject([{ unit_id: 'a', unit_type_id: 'rpm' }]);
  });

  it('are never made for a unit that Pulp’s database does not have, nor is a task', async () => {
    const { database, all } = await connect();
    for (const dispatchTo of ['deferred', 'celery']) {
      const { dispatch } = open(
        { dispatch: dispatchTo, catalogType: 'mongodb', brokerUrl: `amqp://127.0.0.1:${await closedPort()}` },
        { database },
      );
      for (const [unitTypeId, unitId] of [
        ['rpm', 'gone'],
        ['iso', 'a'],
        ['rpm.$cmd', 'a'],
        ['$where', 'a'],
        ['', 'a'],
      ] as const) {
        const reason = `Pulp’s database has no unit ${unitId} in units_${unitTypeId}`;
        const gone = { ...save(unitId), entry: anEntry({ unitId, unitTypeId }) };
        expect(await firstValueFrom(dispatch(gone))).toBe(reason);
      }
    }
    expect([await all('deferred_download'), await all('task_status')]).toEqual([[], []]);
  });

  itWithBroker('are followed by a nudge, where that is wanted', async () => {
    const { database, records } = await connect();
    const flags = {
      dispatch: 'deferred',
      catalogType: 'mongodb',
      deferredNudge: 'yes',
      brokerUrl: broker().url,
      taskQueue: 'nudges',
    };
    const channel = await channelTo(broker().url);
    await channel.assertQueue('nudges', { durable: true });
    const nudged = new Promise<string | undefined>((resolve) => {
      channel.consume('nudges', (message) => resolve(message?.properties.headers?.task), { noAck: true });
    });
    const { dispatch } = open(flags, { database });
    await over(dispatch(save('a')));
    expect(await nudged).toBe('pulp.server.controllers.repository.queue_download_deferred');
    expect(await records()).toHaveLength(1);
  });
});

describe('a save target whose settings change', () => {
  const broker = rabbitMq();
  const channelTo = channels();

  itWithBroker('delivers to the new broker and as the new task, and reports when the former is left', async () => {
    const unreachable = `amqp://127.0.0.1:${await closedPort()}`;
    const settings = {
      ...settingsOf({ dispatch: 'celery', brokerUrl: unreachable, taskReservation: 'no', taskQueue: 'renewed' }),
    };
    const channel = await channelTo(broker().url);
    await channel.assertQueue('renewed', { durable: true });
    const tasks = new Subject<unknown>();
    await channel.consume('renewed', (message) => tasks.next(message?.properties.headers?.task), { noAck: true });
    const target = openSaveTarget(settings, { logger, conditions });
    ending.push(target.close);
    expect(target.isConnected()).toBe(false);
    const stuck = over(target.dispatch(save('a')));
    const left = firstValueFrom(target.revived ?? EMPTY);
    await until(() => conditions.list().length > 0);
    const seen = conditions.list();
    Object.assign(settings, { brokerUrl: broker().url, saveTask: 'renewed.task' });
    target.renew();
    await expect(stuck).rejects.toThrow();
    expect(seen).toEqual([expect.stringMatching(/^broker: not reached: .*ECONNREFUSED/)]);
    await left;
    const task = firstValueFrom(tasks);
    await over(target.dispatch(save('b')));
    expect(await task).toBe('renewed.task');
    expect(target.isConnected()).toBe(true);
    expect(conditions.list()).toEqual([]);

    // A delivery under way ends as it began.
    const next = firstValueFrom(tasks);
    const under = over(target.dispatch(save('c')));
    Object.assign(settings, { saveTask: 'other.task' });
    target.renew();
    await under;
    expect(await next).toBe('renewed.task');
  });
});
