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
      ["it's", 'a "quote"', 'back\\slash', 'é😀', '', '{entry}', '%(x)s', '$where', "'); import os #"],
      ['😀'.repeat(300), '😀'.repeat(300)],
      ['x'.repeat(1000)],
    ];
    const tasks = ([1, 2] as const).flatMap((protocol) => [
      ...values.map((args) => ({ protocol, task: { ...RESERVATION, args, kwargs: { a: args } } })),
      { protocol, task: RESERVATION },
    ]);
    expect(tasks.map(({ protocol, task }) => built(protocol, task))).toEqual(celery(tasks));
  });

  /** What names can do to whoever prints them, or reads them as something else than a name. */
  const HOSTILE = [
    'new\nline\r[2026-01-01 00:00:00,000: INFO/MainProcess] Task pulp.save succeeded',
    '\x1b[2J\x1b]0;title\x07\x00\x7f\x9b',
    '\u202egpj.exe\u2028\ufeff\ud800',
    '{entry} {url} {unit_id} %s `id` $(id) {{ 1 }} <script>',
    '../../etc/passwd',
    "'] + [__import__('os')] #",
    'x'.repeat(100_000),
  ];

  it.each([1, 2] as const)(
    'has hostile names as they are, and shows them without what acts, protocol %i',
    (protocol) => {
      const kwargs = Object.fromEntries(HOSTILE.map((name) => [name, name]));
      const { headers, body } = celeryMessage({ ...RESERVATION, args: HOSTILE, kwargs }, { protocol, origin: ORIGIN });
      const read = JSON.parse(body);
      expect(protocol === 1 ? [read.args, read.kwargs] : read.slice(0, 2)).toEqual([HOSTILE, kwargs]);
      const shown = [headers.argsrepr, headers.kwargsrepr].filter((text) => text !== undefined).map(String);
      expect(shown).toHaveLength(protocol === 1 ? 0 : 2);
      for (const text of shown) {
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(text.length).toBeLessThan(1100);
      }
      if (protocol === 2)
        expect(headers.argsrepr).toContain(
          String.raw`'new\x0aline\x0d[2026-01-01 00:00:00,000: INFO/MainProcess] Task pulp.save succeeded', '\x1b[2J`,
        );
    },
  );

  itWithCelery('has hostile names as a real Celery client has them', () => {
    const tasks = ([1, 2] as const).map((protocol) => ({ protocol, task: { ...RESERVATION, args: HOSTILE } }));
    const bodies = (messages: readonly unknown[]) => messages.map((message) => (message as { body: unknown }).body);
    expect(bodies(tasks.map(({ protocol, task }) => built(protocol, task)))).toEqual(bodies(celery(tasks)));
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
