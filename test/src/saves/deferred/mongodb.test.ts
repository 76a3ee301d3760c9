import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, MongoClient } from 'mongodb';
import { defer, ignoreElements, lastValueFrom, type Observable, VirtualTimeScheduler } from 'rxjs';
import type { PendingSaveRequest } from '../../../../pipelines/model/index.ts';
import { brokerAddresses } from '../../../../src/saves/celery/amqp/address.ts';
import { openBroker } from '../../../../src/saves/celery/amqp/broker.ts';
import { createCeleryDispatch, type Publish } from '../../../../src/saves/celery/dispatch.ts';
import { taskStatusIn } from '../../../../src/saves/celery/task-status.ts';
import { createDeferredDispatch } from '../../../../src/saves/deferred/dispatch.ts';
import type { Records } from '../../../../src/saves/deferred/records.ts';
import { closedPort } from '../../../support/feeds.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';
import { anEntry } from '../../../support/pipeline.ts';
import { until } from '../../../support/until.ts';

const save = (unitId: string): PendingSaveRequest => ({
  id: 1,
  requestId: 'r',
  failures: 0,
  entry: anEntry({ unitId }),
});
const over = (work: Observable<unknown>) => lastValueFrom(work, { defaultValue: undefined });

describeMongo(`dispatching with ${serverName}`, () => {
  let client: MongoClient;
  let collection: (name: string) => Collection;
  let databases = 0;
  afterAll(async () => {
    for (let i = 0; i < databases; i += 1) await client.db(`dispatch_${process.pid}_${i}`).dropDatabase();
    await client.close();
  });
  const mongo = mongodb();
  beforeAll(async () => {
    client = new MongoClient((await mongo.server()).url);
  });
  beforeEach(() => {
    const database = client.db(`dispatch_${process.pid}_${databases++}`);
    collection = (name) => database.collection(name);
  });
  const documents = (name: string) =>
    collection(name)
      .find({}, { projection: { _id: 0 } })
      .toArray();

  describe('the status of a task', () => {
    const statuses = () => documents('task_status');
    const dispatchVia = (publish: Publish) =>
      createCeleryDispatch({
        publish,
        protocol: 2,
        queue: 'resource_manager',
        task: { name: 'pulp.save', args: ['{entry}'], kwargs: {} },
        reservation: 'pulp.reserve',
        taskStatus: taskStatusIn(collection('task_status')),
        origin: 'o',
      });
    /** Accepts every message; keeps the task statuses at that time. */
    const taking = () => {
      const noted: unknown[] = [];
      const innerIds: unknown[] = [];
      const publish: Publish = (_, { body }) =>
        defer(async () => {
          innerIds.push(JSON.parse(body)[0][1]);
          noted.push(await statuses());
        }).pipe(ignoreElements());
      return { noted, innerIds, publish };
    };
    const unreachable = async () =>
      openBroker({
        addresses: brokerAddresses(`amqp://127.0.0.1:${await closedPort()}`),
        login: 'PLAIN',
        declare: 'durable',
        waitAfter: () => 10,
        onError: () => {},
        onNotice: () => {},
      });

    it('is recorded as in Pulp, before the task is queued', async () => {
      const { noted, innerIds, publish } = taking();
      await over(dispatchVia(publish)(save('u')));
      const expected = {
        _ns: 'task_status',
        task_id: innerIds[0],
        task_type: 'pulp.save',
        tags: ['pulp:content_unit:u', 'pulp:action:download'],
        group_id: null,
        worker_name: null,
        state: 'waiting',
        error: null,
        spawned_tasks: [],
        progress_report: {},
        start_time: null,
        finish_time: null,
        result: null,
        exception: null,
        traceback: null,
      };
      // FerretDB writes no null on insertion; a query for null also finds absent fields.
      expect(noted).toEqual([[serverName === 'FerretDB' ? { ...expected, start_time: undefined } : expected]]);
    });

    it('is error if the task could not be queued, and waiting again once it was', async () => {
      const broker = await unreachable();
      await expect(over(dispatchVia(broker.publish)(save('u')))).rejects.toThrow('ECONNREFUSED');
      broker.close();
      expect(await statuses()).toMatchObject([{ state: 'error' }]);
      await over(dispatchVia(taking().publish)(save('u')));
      expect(await statuses()).toMatchObject([{ state: 'waiting' }]);
    });

    it('is left to the worker once the task runs', async () => {
      await over(dispatchVia(taking().publish)(save('u')));
      await collection('task_status').updateOne({}, { $set: { state: 'running', start_time: 'now' } });
      const broker = await unreachable();
      await expect(over(dispatchVia(broker.publish)(save('u')))).rejects.toThrow('ECONNREFUSED');
      broker.close();
      expect(await statuses()).toMatchObject([{ state: 'running', start_time: 'now' }]);
    });

    it('is one document per save request, for any number of deliveries', async () => {
      const { publish, innerIds } = taking();
      const dispatch = dispatchVia(publish);
      await over(dispatch(save('u')));
      await over(dispatch({ ...save('u'), failures: 4 }));
      await over(dispatch({ ...save('u'), id: 2 }));
      expect(innerIds[1]).toBe(innerIds[0]);
      expect(await statuses()).toHaveLength(2);
    });
  });

  describe('a deferred record', () => {
    const records = () => documents('deferred_download');

    it('is written once per unit', async () => {
      const { dispatch } = createDeferredDispatch({ records: collection('deferred_download') });
      for (const unit of ['a', 'b', 'a']) await over(dispatch(save(unit)));
      expect(await records()).toEqual([
        { _ns: 'deferred_download', unit_id: 'a', unit_type_id: 'rpm' },
        { _ns: 'deferred_download', unit_id: 'b', unit_type_id: 'rpm' },
      ]);
    });

    it('may exist already, whichever writer was faster', async () => {
      await collection('deferred_download').createIndex({ unit_id: 1, unit_type_id: 1 }, { unique: true });
      const { dispatch } = createDeferredDispatch({ records: collection('deferred_download') });
      await Promise.all(Array.from({ length: 20 }, () => over(dispatch(save('a')))));
      expect(await records()).toHaveLength(1);
    });

    it('errors if the database rejects it', async () => {
      const away = new MongoClient(`mongodb://127.0.0.1:${await closedPort()}/`, { serverSelectionTimeoutMS: 100 });
      const { dispatch } = createDeferredDispatch({ records: away.db('d').collection('deferred_download') });
      await expect(over(dispatch(save('a')))).rejects.toThrow('ECONNREFUSED');
      await away.close();
    });
  });

  describe('a nudge', () => {
    /** Streamers with one clock, which the test advances. */
    const streamers = () => {
      const scheduler = new VirtualTimeScheduler();
      const began = Date.now();
      const sent: string[] = [];
      const errors: unknown[] = [];
      let asked = 0;
      const turns: Records = {
        updateOne: (...args) =>
          collection('nudges')
            .updateOne(...args)
            .finally(() => {
              asked += 1;
            }),
      };
      const start = (name: string, send: () => void = () => sent.push(name)) => {
        const { dispatch, close } = createDeferredDispatch({
          records: collection('deferred_download'),
          nudge: {
            send: () => defer(async () => send()).pipe(ignoreElements()),
            turns,
            onError: (error) => errors.push(error),
            now: () => began + scheduler.frame,
            scheduler,
          },
        });
        return { dispatch: (unit: string) => over(dispatch(save(unit))), close };
      };
      return {
        sent,
        errors,
        start,
        /** Until this number of turns has been requested, and their consequences are done. */
        turns: async (count: number) => {
          await until(() => asked >= count);
          await client.db('x').command({ ping: 1 });
          expect(asked).toBe(count);
        },
        pass: (milliseconds: number) => {
          scheduler.maxFrames = scheduler.frame + milliseconds;
          scheduler.flush();
          scheduler.frame = scheduler.maxFrames;
        },
      };
    };

    it('follows the first record at once, and the others of a minute at its end', async () => {
      const { sent, start, turns, pass } = streamers();
      const { dispatch } = start('a');
      await dispatch('1');
      await turns(1);
      for (const unit of ['2', '3', '4']) await dispatch(unit);
      pass(59_999);
      await turns(1);
      expect(sent).toEqual(['a']);
      pass(1);
      await turns(2);
      expect(sent).toEqual(['a', 'a']);
      pass(600_000);
      await turns(2);
    });

    it('is sent by one streamer per minute', async () => {
      const { sent, start, turns, pass } = streamers();
      const [a, b] = [start('a'), start('b')];
      await a.dispatch('1');
      await turns(1);
      await b.dispatch('2');
      await turns(2);
      expect(sent).toEqual(['a']);
      pass(60_000);
      await turns(3);
      expect(sent).toEqual(['a', 'b']);
    });

    it('that could not be sent is due again after a minute, and loses no record', async () => {
      const { errors, start, turns, pass } = streamers();
      let count = 0;
      const { dispatch } = start('a', () => {
        count += 1;
        throw new Error('no broker');
      });
      await dispatch('1');
      await turns(1);
      expect(errors).toMatchObject([{ message: 'no broker' }]);
      pass(60_000);
      await turns(2);
      expect(count).toBe(2);
      expect(await documents('deferred_download')).toHaveLength(1);
    });

    it('is not sent after closing', async () => {
      const { start, turns, pass } = streamers();
      const { dispatch, close } = start('a');
      await dispatch('1');
      await dispatch('2');
      await turns(1);
      close();
      pass(600_000);
      await turns(1);
    });
  });
});
