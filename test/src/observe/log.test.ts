import { describe, expect, it } from '@jest/globals';
import { type Report, StreamError } from '../../../pipelines/index.ts';
import { createLogger, type LogLevel, logFinished, logRefused } from '../../../src/observe/log.ts';

const report: Report = {
  id: 'r1',
  method: 'GET',
  path: '/x',
  outcome: 'complete',
  bytes: 3,
  duration: 12.4,
  firstByte: 4.6,
  source: 'feed:host',
  attempts: [{ source: 'feed:host', url: 'https://me:secret@host/x?token=t', from: 0 }],
  verified: 'sha256',
  pauses: 0,
  pausedFor: 0,
  recorded: true,
  timeline: [],
};
const served = {
  id: 'r1',
  method: 'GET',
  target: '/x?policy=p;signature=s',
  status: 200,
  report,
  client: '127.0.0.1',
  duration: 13.2,
};

const logged = (level: LogLevel, log: (logger: ReturnType<typeof createLogger>) => void) => {
  const lines: string[] = [];
  log(createLogger(level, { write: (line: string) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line));
};

describe('logServed', () => {
  it('writes one line for each request, with every secret masked', () => {
    const [line, ...others] = logged('INFO', (logger) => logFinished(logger, served));
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      level: 30,
      id: 'r1',
      method: 'GET',
      path: '/x?***',
      status: 200,
      bytes: 3,
      duration: 13,
      firstByte: 5,
      source: 'feed:host',
      outcome: 'complete',
      verified: 'sha256',
      recorded: true,
      client: '127.0.0.1',
      attempts: [{ source: 'feed:host', from: 0, url: 'https://***@host/x?***' }],
    });
  });

  it('writes nothing that moves the cursor of a terminal', () => {
    const lines: string[] = [];
    const logger = createLogger('INFO', { write: (line: string) => lines.push(line) });
    const path = '/\u009b2J\u001b[1m\u007f\u202e\r';
    logFinished(logger, { ...served, target: path });
    logger.info({ path }, 'x');
    expect(lines.join('')).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(lines.map((line) => JSON.parse(line).path)).toEqual([path, path]);
  });

  it('marks the attempts of a shared transfer', () => {
    const timeline = [{ at: 0, what: 'shared', detail: '' }] as const;
    const lines = logged('INFO', (logger) => {
      logFinished(logger, served);
      logFinished(logger, { ...served, report: { ...report, timeline } });
    });
    expect(lines.map(({ shared }) => shared)).toEqual([undefined, true]);
  });

  it('masks the secrets of sources that failed on the way, too', () => {
    const failure = {
      code: 'STALLED',
      message: 'https://me:secret@host/x?token=t sent nothing',
      phase: 'mid-body',
    } as const;
    const attempts = [{ source: 'feed:host', url: 'https://host/x', from: 0, failure }];
    const [line] = logged('INFO', (logger) => logFinished(logger, { ...served, report: { ...report, attempts } }));
    expect(line.attempts[0].failure).toEqual({
      code: 'STALLED',
      message: 'https://***@host/x?*** sent nothing',
      phase: 'mid-body',
    });
    expect(JSON.stringify(line)).not.toMatch(/secret|token=t/);
  });

  it('warns of what failed and names the code', () => {
    const error = new StreamError('STALLED', 'feed', 'https://me:secret@host/x sent nothing');
    const failed = { ...served, status: 504, error, report: { ...report, outcome: 'failed' as const, error } };
    expect(logged('INFO', (logger) => logFinished(logger, failed))).toMatchObject([
      { level: 40, code: 'STALLED', error: 'https://***@host/x sent nothing', outcome: 'failed' },
    ]);
  });

  it('calls a client that left so', () => {
    expect(logged('INFO', (logger) => logFinished(logger, { ...served, status: 499 }))).toMatchObject([
      { outcome: 'left' },
    ]);
  });

  it('reports a defect of ours as an error, with its stack', () => {
    const error = new StreamError('INTERNAL', 'self', 'oops', { cause: new TypeError('oops') });
    const [line] = logged('INFO', (logger) => logFinished(logger, { ...served, status: 500, error }));
    expect(line).toMatchObject({ level: 50, err: { type: 'TypeError' } });
    expect(line.err.stack).toContain('log.test.ts');
  });

  it('keeps to the level', () => {
    expect(logged('WARNING', (logger) => logFinished(logger, served))).toEqual([]);
  });
});

describe('logRefused', () => {
  const refused = (code: 'URL_REFUSED' | 'INTERNAL') =>
    logged('INFO', (logger) =>
      logRefused(logger, {
        target: '/x?policy=p;signature=s',
        client: '192.0.2.7',
        error: new StreamError(code, 'client', 'expired', { cause: new TypeError('oops') }),
      }),
    );

  it('names client, path and reason of a refusal, but no signature', () => {
    expect(refused('URL_REFUSED')).toMatchObject([
      { level: 30, path: '/x?***', client: '192.0.2.7', code: 'URL_REFUSED', error: 'expired' },
    ]);
  });

  it('reports a defect of ours as an error', () => {
    expect(refused('INTERNAL')).toMatchObject([{ level: 50, code: 'INTERNAL', err: { type: 'TypeError' } }]);
  });
});
