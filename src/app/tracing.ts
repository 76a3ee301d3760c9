import type { Logger } from 'pino';
import { openTracing, type Tracing } from '../observe/tracing/open.ts';
import { openExport } from '../observe/tracing/sdk.ts';
import { version } from './version.ts';

/** Spans of a daemon, which are exported. Loaded only if `traces` is on. */
export const daemonTracing = async (logger: Logger): Promise<(Tracing & AsyncDisposable) | undefined> => {
  if (process.env.OTEL_SDK_DISABLED === 'true') return undefined;
  const warn = (problem: string) => logger.warn({ problem }, 'traces incomplete, serving continues');
  const { tracer, close } = await openExport({ version, env: process.env, warn });
  return { ...openTracing(tracer), [Symbol.asyncDispose]: close };
};
