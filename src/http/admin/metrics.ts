import { messageOf } from '../../lib/thrown.ts';
import { ADMIN_HEADERS, type Endpoint, respond } from './endpoint.ts';

/**
 * `/metrics`, for Prometheus and what speaks its formats. `scrape` writes all metrics in the format
 * that an `Accept` header prefers.
 */
export const metrics = (
  scrape: (accept: string) => Promise<{ readonly type: string; readonly text: string }>,
): Endpoint => ({
  path: '/metrics',
  answer: (req, res) => {
    scrape(req.headers.accept ?? '').then(
      ({ type, text }) => res.writeHead(200, { 'Content-Type': type, ...ADMIN_HEADERS }).end(text),
      (error: unknown) => respond(res, [500, `metrics cannot be read: ${messageOf(error)}`]),
    );
  },
});
