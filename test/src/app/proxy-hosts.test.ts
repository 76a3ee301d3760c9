import { afterEach, describe, expect, it } from '@jest/globals';
import { resolvingNames } from '../../support/names.ts';
import { closedFeeds } from '../../support/site-feeds.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { startWireSite, type WireSite } from '../../support/wire.ts';

const folder = temporaryFolders();
const startFeed = closedFeeds();
const names = resolvingNames();
const sites: WireSite[] = [];
afterEach(async () => {
  await Promise.all(sites.splice(0).map(({ daemon }) => daemon.stop()));
});

const PUBLIC = '93.184.215.14';

/** A streamer whose clients may name every host below a domain, and a server on this machine. */
const open = async (domain: string) => {
  const inner = await startFeed((_, response) => response.end('secret'));
  const { port } = new URL(inner.url);
  const site = await startWireSite(folder(), {
    ...{
      proxy: true,
      followHosts: `*.feed.example.com:${port}`,
      proxyConnect: `*.feed.example.com:${port}`,
      attempts: 1,
    },
  });
  sites.push(site);
  names.set('feed.example.com', [domain]);
  names.set('inner.feed.example.com', ['127.0.0.1']);
  return { site, inner, host: `inner.feed.example.com:${port}` };
};

describe('A host that a client has named', () => {
  it('leads to no internal address by a name that its pattern only permits', async () => {
    const { site, inner, host } = await open(PUBLIC);
    for (const path of ['/file', '/dists/stable/InRelease', '/repodata/repomd.xml'])
      expect((await site.ask(`http://${host}${path}`)).status).toBe(502);
    expect((await site.ask(host, { method: 'CONNECT' })).status).toBe(502);
    expect(site.log).toContainEqual(expect.objectContaining({ code: 'ADDRESS_REFUSED', path: `http://${host}/file` }));
    expect(site.log).toContainEqual(
      expect.objectContaining({
        code: 'ADDRESS_REFUSED',
        error: expect.stringContaining('feed.example.com led there'),
      }),
    );
    expect(inner.requests).toEqual([]);
    expect(inner.connections.made).toBe(0);
  });

  it('leads to one if the domain of its pattern does', async () => {
    const { site, host } = await open('127.0.0.1');
    expect(await site.ask(`http://${host}/file`)).toMatchObject({ status: 200, body: 'secret' });
  });
});
