import { type Endpoint, textEndpoint } from './endpoint.ts';

interface ProbeOptions {
  /** Whether requests can be served now. */
  readonly ready: () => boolean;
  /** What does not work at present although requests can be served; one line for each. */
  readonly degraded?: () => readonly string[];
}

/**
 * For supervisors and load balancers:
 * - `/livez` is 200 as long as the process answers;
 * - `/readyz` is 200 while the catalog is available, otherwise 503. Its text names what else does
 *   not work, such as saving.
 */
export const probes = ({ ready, degraded = () => [] }: ProbeOptions): readonly Endpoint[] => [
  textEndpoint('/livez', () => [200, 'alive']),
  textEndpoint('/readyz', () => [
    ready() ? 200 : 503,
    [ready() ? 'ready' : 'the catalog is unavailable', ...degraded()].join('\n'),
  ]),
];
