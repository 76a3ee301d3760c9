import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { until } from './until.ts';

type Value = { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean };
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface Exported {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
  readonly status: { readonly code: number };
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Exported[] }[];
  }[];
}

/** A span as the collector received it. */
export interface ReceivedSpan extends Omit<Exported, 'attributes'> {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  /** Nanoseconds since 1970. */
  readonly began: bigint;
  readonly ended: bigint;
}

export interface Collector {
  /** Without a slash at its end. */
  readonly url: string;
  /** Every span so far. */
  readonly spans: readonly ReceivedSpan[];
  /** Resolves to the spans that a description fits, once there are as many. */
  received(fits: (span: ReceivedSpan) => boolean, count?: number): Promise<readonly ReceivedSpan[]>;
  close(): void;
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A collector that speaks OTLP over HTTP, in JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export const startCollector = async (): Promise<Collector> => {
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return response.writeHead(404).end();
    const { resourceSpans } = (await json(request)) as Export;
    for (const { resource, scopeSpans } of resourceSpans)
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({
          ...span,
          attributes: valuesOf(span.attributes),
          resource: valuesOf(resource.attributes),
          began: BigInt(span.startTimeUnixNano),
          ended: BigInt(span.endTimeUnixNano),
        });
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received: async (fits, count = 1) => {
      await until(() => spans.filter(fits).length >= count);
      return spans.filter(fits);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
