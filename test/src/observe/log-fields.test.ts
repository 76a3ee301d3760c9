import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Report, StreamError } from '../../../pipelines/index.ts';
import { createLogger, logFinished } from '../../../src/observe/log.ts';

const page = readFileSync(new URL('../../../docs/reference/log-fields.md', import.meta.url), 'utf8');

const report: Report = {
  id: 'one',
  method: 'GET',
  path: '/x',
  outcome: 'failed',
  bytes: 3,
  duration: 2,
  firstByte: 1,
  source: 'feed:host',
  attempts: [
    {
      source: 'feed:host',
      url: 'https://host/x',
      from: 0,
      failure: { code: 'STALLED', message: 'nothing came', phase: 'mid-body' },
    },
  ],
  verified: 'sha256',
  pauses: 1,
  pausedFor: 1,
  recorded: true,
  handedOver: true,
  timeline: [{ at: 0, what: 'shared', detail: '' }],
};

describe('docs/reference/log-fields.md', () => {
  it('has a row for each field of the line of a request, and for each of its attempts', () => {
    const lines: string[] = [];
    const logger = createLogger('INFO', { write: (line: string) => lines.push(line) });
    const error = new StreamError('INTERNAL', 'self', 'a defect');
    logFinished(logger, {
      id: 'one',
      method: 'GET',
      target: '/x',
      status: 500,
      report,
      error,
      client: '::1',
      trace: { traceId: 'a', spanId: 'b' },
      duration: 2,
    });
    const line = JSON.parse(lines[0] ?? '');
    const rows = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \|$/gm)].flatMap(([, fields = '']) =>
      fields.split(', ').map((field) => field.slice(1, -1)),
    );
    expect(rows.sort()).toEqual([...Object.keys(line), ...Object.keys(line.attempts[0])].sort());
  });
});
