import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Kind, makeVersion } from './content.ts';
import type { Step, Story } from './plan.ts';
import { plantedServers } from './planted.ts';
import { beginStory, type Finding } from './play.ts';
import { WHOLE } from './requests.ts';
import type { Scene } from './scene.ts';

/** A streamer that passes answers of the feed on unchecked, and lets caches keep them for a second. */
const streamers = () => {
  const open: { readonly close: () => void }[] = [];
  afterEach(() => {
    for (const { close } of open.splice(0)) close();
  });
  return async (): Promise<Scene> => {
    const urls = new Map<string, string>();
    const server = createServer((req, res) => {
      const { range } = req.headers;
      const asked = request(urls.get(req.url ?? '') ?? '', { headers: range ? { range } : {} }, (answer) => {
        res.writeHead(answer.statusCode ?? 0, { ...answer.headers, 'cache-control': 'max-age=1' });
        answer.pipe(res);
      });
      asked.on('error', () => res.destroy()).end();
    });
    open.push({ close: () => server.close().closeAllConnections() });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      list: ({ path, url }) => urls.set(path, url),
      account: () => ['a line of the log'],
      restart: async () => {},
      close: async () => '',
    };
  };
};

const KIND: Kind = { name: 'a.rpm', sized: false, chunked: false, ranges: true, tag: 'strong', dates: 'newer' };
const VERSIONS = [makeVersion(KIND, 0, 3000, 1), makeVersion(KIND, 1, 3000, 2)];

const ask: Step = { what: 'ask', requests: [WHOLE], rest: 0 };
const status = (code: number): Step => ({ what: 'fault', fault: { kind: 'status', status: code } });
const replace: Step = { what: 'replace', row: 'same', lags: false };

describe('a story', () => {
  const streamer = streamers();
  const serve = plantedServers();

  const findings = async (steps: readonly Step[], cache?: string): Promise<readonly Finding[]> => {
    const story: Story = { seed: 1, index: 1, kind: KIND, versions: VERSIONS, older: false, steps };
    const scene = await streamer();
    const found: Finding[] = [];
    const end = { name: 'cache', url: cache ?? scene.url };
    const play = await beginStory(story, {
      scene,
      end,
      keeps: 1,
      take: '',
      found: (finding) => found.push(finding),
      answered: () => {},
    });
    await play.play(steps.map((_, number) => number));
    play.close();
    return found;
  };

  it('finds nothing if every answer is right, whatever the feed does', async () => {
    const steps = [ask, replace, ask, status(500), ask, { what: 'fault' } as const, ask];
    expect(await findings(steps)).toEqual([]);
  });

  it('finds a failure that the streamer alone does not give', async () => {
    const cache = await serve('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
    expect(await findings([ask], cache)).toMatchObject([{ end: 'cache', category: 'needless failure', step: 0 }]);
  });

  it('finds no failure that the streamer gives as well', async () => {
    const cache = await serve('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
    expect(await findings([status(500), ask], cache)).toEqual([]);
  });

  it('finds a body that is kept longer than the streamer allows', async () => {
    const { bytes, etag, lastModified } = VERSIONS[0]!;
    const head = `ETag: ${etag}\r\nLast-Modified: ${lastModified}\r\nContent-Length: ${bytes.length}`;
    const cache = await serve(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${bytes.toString('latin1')}`);
    expect(await findings([ask, replace, ask], cache)).toEqual([]);
    const expired = await findings([ask, replace, { what: 'expire' }, ask], cache);
    expect(expired).toMatchObject([{ category: 'expired body', what: 'version A; expected version B', step: 3 }]);
  });

  it('reports the history of a finding', async () => {
    const [finding] = await findings([ask], await serve('HTTP/1.1 304 No\r\n\r\n'));
    expect(finding).toMatchObject({ category: 'wrong 304', seed: 1, story: 1 });
    expect(finding?.history.slice(-3)).toEqual([
      expect.stringMatching(/^0: GET HTTP\/1\.1 .*→ 304/),
      '  !! wrong 304: expected version A',
      'a line of the log',
    ]);
  });
});
