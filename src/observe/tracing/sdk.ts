import { DiagLogLevel, diag, type Tracer } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';
import { messageOf } from '../../lib/thrown.ts';

export interface Exporting {
  readonly tracer: Tracer;
  /** Exports what waits, and stops. */
  close(): Promise<void>;
}

interface Options {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with what OpenTelemetry reports, such as a collector that does not answer. */
  readonly warn: (message: string) => void;
}

/**
 * Loads OpenTelemetry, and exports spans over OTLP/HTTP as the standard environment variables say.
 */
export const openExport = async ({ version, env, warn }: Options): Promise<Exporting> => {
  const [sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const note = (message: string, ...more: unknown[]) => warn([message, ...more].join(' '));
  diag.setLogger({ error: note, warn: note, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN);

  const samplers: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(numberIn(env, 'OTEL_TRACES_SAMPLER_ARG') ?? 1),
  };
  const samplerOf = (name: string): Sampler => {
    const [, parentBased, root = ''] = /^(parentbased_)?(.*)$/.exec(name) ?? [];
    const make = Object.hasOwn(samplers, root) ? samplers[root] : undefined;
    if (!make) {
      warn(`OTEL_TRACES_SAMPLER is ${name}, expected one of ${Object.keys(samplers)}, or one with parentbased_`);
      return samplerOf('parentbased_always_on');
    }
    return parentBased ? new sdk.ParentBasedSampler({ root: make() }) : make();
  };

  const own = resources.resourceFromAttributes({ 'service.name': 'pulp-streamer', 'service.version': version });
  const given = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(own).merge(given),
    sampler: samplerOf(env.OTEL_TRACES_SAMPLER || 'parentbased_always_on'),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        scheduledDelayMillis: numberIn(env, 'OTEL_BSP_SCHEDULE_DELAY'),
        exportTimeoutMillis: numberIn(env, 'OTEL_BSP_EXPORT_TIMEOUT'),
        maxQueueSize: numberIn(env, 'OTEL_BSP_MAX_QUEUE_SIZE'),
        maxExportBatchSize: numberIn(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
      }),
    ],
  });
  return {
    tracer: provider.getTracer('pulp-streamer', version),
    close: () => provider.shutdown().catch((error: unknown) => warn(`spans are lost: ${messageOf(error)}`)),
  };
};

const numberIn = (env: Options['env'], name: string): number | undefined => {
  const value = Number(env[name] || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
};
