import type { Logger } from 'pino';
import type { Settings } from '../config/schema.ts';
import type { Tracing } from '../observe/tracing/open.ts';
import { checkTracing } from './check-tracing.ts';

/** Traces as `traces` says at each moment. What began with a span ends with it. */
export interface DaemonTracing extends Pick<Tracing, 'finish' | 'delivering'>, AsyncDisposable {
  /** Absent while `traces` is off. */
  begin(...given: Parameters<Tracing['begin']>): ReturnType<Tracing['begin']> | undefined;
  /** The setting may have changed. */
  renew(): Promise<void>;
}

/** OpenTelemetry is loaded when it is first used. Rejects if it is not installed. */
export const openDaemonTracing = async (settings: Pick<Settings, 'traces'>, logger: Logger): Promise<DaemonTracing> => {
  let made: (Tracing & AsyncDisposable) | undefined;
  const renew = async () => {
    checkTracing(settings);
    if (settings.traces) made ??= await (await import('./tracing.ts')).daemonTracing(logger);
  };
  await renew();
  const used = () => (settings.traces ? made : undefined);
  return {
    begin: (request) => used()?.begin(request),
    finish: (finished) => (made && (settings.traces || made.hasBegun(finished)) ? made.finish(finished) : finished),
    delivering: (dispatch) => (save) => (used()?.delivering(dispatch) ?? dispatch)(save),
    renew,
    [Symbol.asyncDispose]: async () => made?.[Symbol.asyncDispose](),
  };
};
