import { type DestinationStream, type Logger, pino } from 'pino';
import type { StreamError } from '../../pipelines/model/index.ts';
import { type FinishedRequest, outcomeOf } from '../lib/finished-request.ts';
import { maskUrl } from '../lib/mask.ts';
import { safeJson } from '../lib/safe-json.ts';
import { messageOf } from '../lib/thrown.ts';
import { openLogOutput } from './log-output.ts';

/** Pulp's (Python's) names of log levels, and pino's. */
const LEVELS = {
  CRITICAL: 'fatal',
  ERROR: 'error',
  WARNING: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  NOTSET: 'trace',
} as const;

/** The least severe messages that are logged. `NOTSET` logs all. */
export type LogLevel = keyof typeof LEVELS;

/**
 * A logger that writes one JSON object a line; to standard output by default, in batches. A line
 * then waits at most 50 ms. None is lost when the process ends, also by an uncaught error.
 */
export const createLogger = (level: LogLevel, destination: DestinationStream = openLogOutput()): Logger =>
  pino({ level: LEVELS[level], base: null, timestamp: () => `,"time":"${isoTime()}"` }, safe(destination));

/** Changes the least severe messages that a logger writes. */
export const setLogLevel = (logger: Logger, level: LogLevel): void => {
  logger.level = LEVELS[level];
};

/** A request's path may have anything in it, and logs are read on terminals. */
const safe = (destination: DestinationStream & { flush?(): void }) => ({
  write: (line: string) => destination.write(safeJson(line)),
  flush: () => destination.flush?.(),
});

/** Milliseconds at which the present second began, and its text. Formatting a date is slow. */
let second = Number.NaN;
let secondText = '';

const isoTime = (): string => {
  const now = Date.now();
  const milliseconds = now % 1000;
  if (now - milliseconds !== second) {
    second = now - milliseconds;
    secondText = new Date(second).toISOString().slice(0, -'000Z'.length);
  }
  return `${secondText}${String(milliseconds).padStart(3, '0')}Z`;
};

/**
 * Writes the one line of each finished request. Durations are in milliseconds, `bytes` counts the
 * body. Failures on the way are in `attempts`, which belong to another request if the transfer was
 * `shared`. Userinfo, queries and signatures of URLs are masked.
 */
export const logFinished = (
  logger: Logger,
  { id, method, target, status, report, error, client, duration, trace }: FinishedRequest,
): void => {
  const isDefect = error?.code === 'INTERNAL';
  const level = isDefect ? ERROR : status >= 500 ? WARNING : INFO;
  if (level < logger.levelVal) return;
  const line = {
    level,
    time: isoTime(),
    id,
    method,
    path: maskUrl(target),
    status,
    bytes: report?.bytes ?? 0,
    duration: Math.round(duration),
    firstByte: report?.firstByte === undefined ? undefined : Math.round(report.firstByte),
    source: report?.source,
    outcome: outcomeOf({ status, report }),
    verified: report?.verified,
    recorded: report?.recorded || undefined,
    pauses: report?.pauses || undefined,
    pausedFor: report?.pauses ? Math.round(report.pausedFor) : undefined,
    handedOver: report?.handedOver,
    shared: report?.timeline.some(({ what }) => what === 'shared') || undefined,
    attempts: report?.attempts.map(({ source, from, url, failure }) => ({
      source,
      from,
      url: maskUrl(url),
      failure: failure && { ...failure, message: maskUrl(failure.message) },
    })),
    client,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    code: error?.code,
    error: error && maskUrl(messageOf(error)),
    err: isDefect ? pino.stdSerializers.err(error.cause instanceof Error ? error.cause : error) : undefined,
    msg: 'request',
  };
  // One in each request: written without pino, which needs twice as long.
  const destination: DestinationStream = Reflect.get(logger, pino.symbols.streamSym);
  destination.write(`${JSON.stringify(line)}\n`);
};

const { error: ERROR = 0, warn: WARNING = 0, info: INFO = 0 } = pino.levels.values;

interface Refused {
  readonly target: string;
  readonly client: string;
  readonly error: StreamError;
}

/** Writes why `/auth` refused a URL. Neither the proxy nor its client learns the reason. */
export const logRefused = (logger: Logger, { target, client, error }: Refused): void => {
  const line = { path: maskUrl(target), client, code: error.code, error: maskUrl(messageOf(error)) };
  if (error.code === 'INTERNAL') logger.error({ ...line, err: error.cause ?? error }, 'URL refused for a proxy');
  else logger.info(line, 'URL refused for a proxy');
};
