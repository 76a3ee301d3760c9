import { createListeners, type HttpServer } from './listeners.ts';

/**
 * What supervisors and load balancers ask, on a listener of its own so that no path of the catalog is taken for it:
 * `/livez` is 200 as long as the process answers; `/readyz` is 200 while the catalog can be asked, else 503.
 */
export const createAdminServer = ({ ready }: { readonly ready: () => boolean }): HttpServer => {
  const answers: Readonly<Record<string, () => readonly [status: number, text: string]>> = {
    '/livez': () => [200, 'alive'],
    '/readyz': () => (ready() ? [200, 'ready'] : [503, 'the catalog cannot be asked']),
  };
  return createListeners(
    {},
    ({ url = '' }, res) => {
      const [status, text] = answers[url]?.() ?? [404, 'expected /livez or /readyz'];
      res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
      res.end(`${text}\n`);
    },
    (_, socket) => {
      socket.destroy();
    },
  );
};
