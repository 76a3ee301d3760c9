import { once } from 'node:events';
import { createServer } from 'node:http';
import { contentOf } from './content.ts';
import { freeLowPort } from './fleet-proxies.ts';

export const FAULTS = ['dying', 'changing'] as const;
export type Fault = (typeof FAULTS)[number];

export const faultyName = (id: string, how: Fault, number: number): string =>
  `${1024 ** 2}-${id}-${how}-${number}_1_all.deb`;

/**
 * A feed that breaks off in the middle of each file, when it is asked for it the first time. Of
 * files that change, it has another one of the same length from then on.
 */
export const startFaultyFeed = async (): Promise<{ readonly url: string; close(): void }> => {
  const asked = new Set<string>();
  const server = createServer(({ url = '', headers }, res) => {
    const name = url.slice(url.lastIndexOf('/') + 1);
    const version = asked.has(url) && url.includes('changing') ? 2 : 1;
    const whole = Buffer.concat([...contentOf(version === 1 ? name : name.replace('changing', 'CHANGING'))]);
    const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const fields = {
      ETag: `"${version}"`,
      'Last-Modified': new Date(version * 1000).toUTCString(),
      'Accept-Ranges': 'bytes',
    };
    const range = { 'Content-Range': `bytes ${from}-${whole.length - 1}/${whole.length}` };
    res.writeHead(from > 0 ? 206 : 200, { ...fields, ...(from > 0 && range), 'Content-Length': whole.length - from });
    if (asked.has(url)) res.end(whole.subarray(from));
    else res.write(whole.subarray(0, whole.length / 2), () => res.destroy());
    asked.add(url);
  });
  const port = await freeLowPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
