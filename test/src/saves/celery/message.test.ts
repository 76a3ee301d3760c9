import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { type CeleryProtocol, celeryMessage, destinationOf, type Task } from '../../../../src/saves/celery/message.ts';
import { itWithCelery, PYTHON } from '../../../support/celery/python.ts';

const support = (file: string) => fileURLToPath(new URL(`../../../support/${file}`, import.meta.url));

/** Messages that a Celery 5.2.6 client built. */
const { messages: VECTORS } = JSON.parse(readFileSync(support('vectors/celery-messages.json'), 'utf8'));

const ORIGIN = 'gen1@host';
const built = (protocol: CeleryProtocol, task: Task) => {
  const { headers, properties, body } = celeryMessage(task, { protocol, origin: ORIGIN });
  const { correlationId, replyTo } = properties;
  return { headers, properties: { correlation_id: correlationId, reply_to: replyTo }, body: JSON.parse(body) };
};

const { id, task: name, args, kwargs } = VECTORS.protocol1.body;
const RESERVATION: Task = { id, name, args, kwargs };

const celery = (tasks: readonly { protocol: CeleryProtocol; task: Task }[]): unknown[] => {
  const input = tasks
    .map(({ protocol, task }) => `${JSON.stringify({ protocol, origin: ORIGIN, ...task })}\n`)
    .join('');
  const { status, stdout, stderr } = spawnSync(PYTHON, [support('celery/messages.py')], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
};

describe('the message of a task', () => {
  it.each([1, 2] as const)('equals that of a Celery client, protocol %i', (protocol) => {
    expect(built(protocol, RESERVATION)).toEqual(VECTORS[`protocol${protocol}`]);
  });

  it.each([1, 2] as const)('is JSON that the broker keeps on disk, protocol %i', (protocol) => {
    expect(celeryMessage(RESERVATION, { protocol, origin: ORIGIN }).properties).toMatchObject({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
    });
  });

  it.each([1, 2] as const)('carries further headers, protocol %i', (protocol) => {
    const headers = { 'x-request-id': 'r-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const message = celeryMessage(RESERVATION, { protocol, origin: ORIGIN, headers });
    expect(message.headers).toEqual({ ...VECTORS[`protocol${protocol}`].headers, ...headers });
  });

  itWithCelery('equals that of the Celery client on this machine, for any arguments', () => {
    const values: Task['args'][] = [
      [],
      [[]],
      [{}, [[], {}], [[[]]], [[{}]], { a: { b: [1] } }],
      [null, true, false, 0, -1, 1.5, 10_000_000_000],
      ["it's", 'a "quote"', 'back\\slash', 'new\nline', 'é😀', ''],
      ['x'.repeat(1000)],
    ];
    const tasks = ([1, 2] as const).flatMap((protocol) => [
      ...values.map((args) => ({ protocol, task: { ...RESERVATION, args, kwargs: { a: args } } })),
      { protocol, task: RESERVATION },
    ]);
    expect(tasks.map(({ protocol, task }) => built(protocol, task))).toEqual(celery(tasks));
  });

  it('shows only the beginning of long arguments', () => {
    const { headers } = celeryMessage({ ...RESERVATION, args: ['x'.repeat(5000)] }, { protocol: 2, origin: ORIGIN });
    expect(headers.argsrepr).toBe(`['${'x'.repeat(1022)}, ...`);
  });
});

describe('the destination of a task', () => {
  it('is an exchange of the queue’s name for Celery 3.1, the default exchange for later ones', () => {
    expect(destinationOf(1, 'resource_manager')).toEqual({ queue: 'resource_manager', exchange: 'resource_manager' });
    expect(destinationOf(2, 'resource_manager')).toEqual({ queue: 'resource_manager', exchange: '' });
  });
});
