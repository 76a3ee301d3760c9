import { type Endpoint, textEndpoint } from './endpoint.ts';

interface ProbeOptions {
  /** Why no requests should be sent here now, one line for each reason; empty if they can be served. */
  readonly missing: () => readonly string[];
  /** What does not work at present although requests can be served; one line for each. */
  readonly degraded?: () => readonly string[];
  /** Whether requests could be served once. Default: if nothing is missing. */
  readonly started?: () => boolean;
}

/**
 * For supervisors and load balancers:
 * - `/livez` is 200 as long as the process answers;
 * - `/startupz` is 200 from the moment on that the first request could have been served;
 * - `/readyz` is 200 while requests can be served and none keeps them away, otherwise 503 with what
 *   is missing. Its text also names what else does not work, such as saving.
 */
export const probes = ({
  missing,
  degraded = () => [],
  started = () => missing().length === 0,
}: ProbeOptions): readonly Endpoint[] => [
  textEndpoint('/livez', () => [200, 'alive']),
  textEndpoint('/startupz', () => (started() ? [200, 'started'] : [503, ['starting', ...missing()].join('\n')])),
  textEndpoint('/readyz', () => {
    const reasons = missing();
    const lines = [...(reasons.length > 0 ? reasons : ['ready']), ...degraded()];
    return [reasons.length > 0 ? 503 : 200, lines.join('\n')];
  }),
];
