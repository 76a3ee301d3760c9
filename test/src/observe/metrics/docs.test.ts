import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { metricsDocs } from '../../../../src/observe/metrics/docs.ts';

it('the reference of metrics lists every metric as it is', async () => {
  expect(readFileSync('docs/reference/metrics.md', 'utf8')).toBe(await metricsDocs());
});

it('the queries of the dashboard and of the alerts name metrics that exist', async () => {
  const known = new Set([...(await metricsDocs()).matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));
  const files = ['examples/grafana/pulp-streamer.json', 'examples/prometheus/alerts.yml'];
  const named = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bpulp_streamer_\w+/g)]);
  const names = [...new Set(named.map(([name]) => name.replace(/_(bucket|sum|count)$/, '')))];
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
