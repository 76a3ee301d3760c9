import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { concatMap, firstValueFrom, type Observable, of, toArray } from 'rxjs';
import type { Access, Ask, SourceEvent } from '../../../../pipelines/model/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { settingsOf } from '../../../../src/app/from-settings.ts';
import { openMetadata } from '../../../../src/app/metadata.ts';
import { prober } from '../../../../src/app/probe.ts';
import { accessOf } from '../../../../src/catalog/access.ts';
import { importRepository } from '../../../../src/catalog/import.ts';
import { openSqliteCatalog } from '../../../../src/catalog/sqlite/catalog.ts';
import { yum } from '../../../../src/repositories/yum.ts';
import { feedCandidates } from '../../../../src/sources/feed/candidates.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, type TestFeed } from '../../../support/feeds.ts';
import { sha256 } from '../../../support/importing.ts';
import { anEntry } from '../../../support/pipeline.ts';

const SECRET = 'hush-3f81';
const CONTENT = Buffer.from('0123456789');

/** What only the importer's own origin may get. */
const SECRETS = {
  basicAuth: { username: 'me', password: SECRET },
  headers: [
    ['X-RHUI-ID', SECRET],
    ['Cookie', `session=${SECRET}`],
  ],
  query: `token=${SECRET}`,
} as const satisfies Access;

const serve: RequestListener = (request, response) => {
  const [, first, last] = /^bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
  const bytes = CONTENT.subarray(Number(first ?? 0), last ? Number(last) + 1 : undefined);
  if (first === undefined) return response.writeHead(200, { 'Content-Length': bytes.length, ETag: '"v"' }).end(bytes);
  const range = `bytes ${first}-${Number(first) + bytes.length - 1}/${CONTENT.length}`;
  return response
    .writeHead(206, { 'Content-Range': range, 'Content-Length': bytes.length, ETag: '"v"' })
    .end(request.method === 'HEAD' ? undefined : bytes);
};

/** Each request as text: its URL and all header fields. */
const heard = ({ requests }: TestFeed): readonly string[] =>
  requests.map(({ method, url, rawHeaders }) => [method, url, ...rawHeaders].join(' '));

describe('another origin', () => {
  const feed = createFeed(feedSettings());
  let home: TestFeed;
  let other: TestFeed;
  let status: number;
  /** Further files of the home. */
  const files = new Map<string, string>();
  beforeEach(async () => {
    status = 302;
    files.clear();
    other = await startFeed(serve);
    home = await startFeed((request, response) => {
      const path = request.url?.split('?')[0];
      if (path === '/list') return response.end(`${other.url}/\n`);
      const file = files.get(path ?? '');
      if (file !== undefined) return response.end(file);
      if (path?.startsWith('/moved'))
        return response
          .writeHead(status, { Location: `${other.url}${path}`, 'Set-Cookie': `session=${SECRET}; Path=/` })
          .end();
      return serve(request, response);
    });
  });
  afterEach(() => Promise.all([home.close(), other.close()]));
  afterAll(() => feed.close());

  const open = (path: string, ask: Partial<Ask> = {}) =>
    collect(feed.open(at(`${home.url}${path}`, { access: SECRETS }), anAsk(ask)));
  const own = () => open('/own');
  const mirrored = (): Access => ({
    ...SECRETS,
    mirrors: [{ home: `${home.url}/list`, bases: [`${other.url}/`, `${home.url}/`] }],
  });
  const candidates = (access: Access, url: string): Observable<SourceEvent> =>
    feedCandidates({ access: () => of(access) })(anEntry({ url })).pipe(
      concatMap((candidate) => feed.open(candidate as ReturnType<typeof at>, anAsk())(OPEN)),
    );
  const settle = (events: Observable<SourceEvent>) => firstValueFrom(events.pipe(toArray()));
  const read = async (access: Access, url: string) => {
    for await (const _ of openMetadata(feed.open, settingsOf({}))(access)(url));
  };

  const WAYS: readonly (readonly [way: string, go: () => Promise<unknown>])[] = [
    ...[301, 302, 303, 307, 308].map(
      (code) =>
        [
          `a redirect with ${code}`,
          async () => {
            status = code;
            await open('/moved');
          },
        ] as const,
    ),
    ['a redirect of HEAD', () => open('/moved', { method: 'HEAD' })],
    ['a redirect of a range', () => open('/moved', { from: 3, last: 5 })],
    ['a redirect of a transfer that is resumed', () => open('/moved', { from: 3, ifRange: '"v"' })],
    [
      'a redirect of several parts',
      () =>
        open('/moved', {
          from: 0,
          last: 5,
          parts: [
            { first: 0, last: 1 },
            { first: 4, last: 5 },
          ],
        }).catch(() => {}),
    ],
    ['a redirect that is revalidated', () => open('/moved', { unless: { etags: ['"w"'] } })],
    [
      'a mirror of a list',
      async () => {
        await own();
        await settle(candidates(mirrored(), `${other.url}/a`));
      },
    ],
    [
      'a mirror that an import reads',
      async () => {
        await read(SECRETS, `${home.url}/list`);
        await read(mirrored(), `${other.url}/repodata/repomd.xml`);
      },
    ],
    [
      'a mirror that an import probes',
      async () => {
        await own();
        await prober(feed.open)(mirrored(), `${other.url}/a.rpm`);
      },
    ],
    [
      'a redirect that an import probes',
      async () => {
        await prober(feed.open)(SECRETS, `${home.url}/moved.rpm`);
      },
    ],
    [
      'an absolute location in the catalog of an importer that names its feed',
      async () => {
        await own();
        await settle(
          candidates(
            accessOf({
              feed: `${home.url}/`,
              basic_auth_username: 'me',
              basic_auth_password: SECRET,
              headers: { 'X-RHUI-ID': SECRET },
              query_auth_token: `token=${SECRET}`,
            }),
            `${other.url}/a.rpm`,
          ),
        );
      },
    ],
    [
      'a redirect of an alternate source',
      () =>
        collect(
          feed.open(
            at(`${home.url}/moved`, { access: { ...SECRETS, owner: { kind: 'alternate', id: 'rhui' } } }),
            anAsk(),
          ),
        ),
    ],
  ];

  it.each(WAYS)('gets nothing secret by %s', async (_, go) => {
    await go();
    expect(heard(home).join('\n')).toContain(SECRET);
    expect(heard(other).length).toBeGreaterThan(0);
    expect(heard(other).join('\n')).not.toContain(SECRET);
    expect(heard(other).join('\n')).not.toMatch(/authorization|cookie|x-rhui-id|token=/i);
  });

  it('is never asked for what metadata lists at it, by an absolute location or xml:base', async () => {
    const pack = (location: string, digit: string) =>
      `<package type="rpm"><name>bear</name><arch>noarch</arch><version epoch="0" ver="${digit}" rel="1"/><checksum type="sha256" pkgid="YES">${digit.repeat(64)}</checksum><size package="1"/><location ${location}/></package>`;
    const primary = `<metadata xmlns="http://linux.duke.edu/metadata/common">${pack(`href="${other.url}/absolute.rpm"`, '1')}${pack(`xml:base="${other.url}/" href="based.rpm"`, '2')}</metadata>`;
    files.set('/repodata/primary.xml', primary);
    files.set(
      '/repodata/repomd.xml',
      `<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary"><checksum type="sha256">${sha256(primary)}</checksum><location href="repodata/primary.xml"/></data></repomd>`,
    );
    const catalog = openSqliteCatalog(':memory:');
    await importRepository({
      ...{
        catalog,
        format: yum,
        base: `${home.url}/`,
        prefix: '/p',
        importer: catalog.importers.add({ config: {} }).id,
      },
      read: openMetadata(feed.open, settingsOf({}))(SECRETS),
      probe: (url) => prober(feed.open)(SECRETS, url),
    });
    const urls = [...catalog.entries.list('/p')].map(({ url }) => url);
    catalog.close();
    expect(urls).toContain(`${home.url}/based.rpm`);
    expect(urls.filter((url) => !url.startsWith(`${home.url}/`))).toEqual([]);
    expect(other.connections.made).toBe(0);
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    beforeAll(async () => {
      certificates = await createCertificates();
    });

    it('gets no client certificate, and is not trusted by the importer’s authorities', async () => {
      const { server, authority, client } = certificates;
      const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false };
      const there = await startFeed(serve, tls);
      const here = await startFeed((_, response) => response.writeHead(302, { Location: `${there.url}/` }).end(), tls);
      const access: Access = { ca: authority.cert, clientCert: client.cert, clientKey: client.key };
      const ways = [
        () => feed.open(at(here.url, { access }), anAsk()),
        () => candidates({ ...access, mirrors: [{ home: here.url, bases: [`${there.url}/`] }] }, `${there.url}/a`),
        () => candidates({ ...access, home: here.url }, `${there.url}/a`),
      ];
      for (const way of ways) await expect(failureOf(way())).resolves.toMatchObject({ code: 'TLS_FAILED' });
      expect(there.requests).toEqual([]);
      await Promise.all([here.close(), there.close()]);
    });
  });
});
