import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { createCertificates } from '../../support/certificates.ts';
import { startFeed, type TestFeed } from '../../support/feeds.ts';
import { sha256 } from '../../support/importing.ts';
import { DEB_TOOLS, itNeeding, makeFilesRepository, makeSuiteRepository } from '../../support/repositories.ts';
import { demanding, serveFolder } from '../../support/site-feeds.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const ZOO = join(import.meta.dirname, '../../../examples/zoo');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const serve = async (listener: RequestListener, tls?: Parameters<typeof startFeed>[1]): Promise<TestFeed> => {
  const feed = await startFeed(listener, tls);
  closing.push(feed.close);
  return feed;
};

/** Serves a folder below a path, and other answers by path. */
const below = (
  path: string,
  folder: string,
  others: Readonly<Record<string, RequestListener>> = {},
): RequestListener => {
  const files = serveFolder(folder);
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://feed');
    const other = others[pathname];
    if (other) return other(request, response);
    if (!pathname.startsWith(`${path}/`)) return response.writeHead(404).end('no such file');
    return files(Object.assign(request, { url: pathname.slice(path.length) }), response);
  };
};
const text =
  (body: string): RequestListener =>
  (_, response) =>
    response.end(body);

const importing = (cli = makeCatalogCli(newFolder())) => ({
  ...cli,
  import: (format: string, source: string, ...options: string[]) =>
    cli.run('catalog', 'import', format, source, '--prefix', '/p', ...options),
  list: async () => (await cli.run('catalog', 'list', '/')).out,
});
const resultOf = ({ out }: { out: string }) => JSON.parse(out);

describe('the source of an import', () => {
  it.each(['/zoo', '/zoo/', '/zoo/repodata', '/zoo/repodata/', '/zoo/repodata/repomd.xml'])(
    'may be %s',
    async (path) => {
      const { url } = await serve(below('/zoo', ZOO));
      const cli = importing();
      const { out, err } = await cli.import('yum', url + path);
      expect([out, err]).toEqual(['/p: 5 packages and 4 metadata files, revision 1\n', '']);
      expect(await cli.list()).toContain(`\t${url}/zoo/Packages/bear-4.1-1.noarch.rpm\n`);
    },
  );

  const PACKAGES = [{ name: 'bear', version: '4.1', size: 10 }];
  itNeeding(DEB_TOOLS)('may be the folder of a suite, or its Release file', async () => {
    const folder = newFolder();
    makeSuiteRepository(folder, PACKAGES);
    const { url } = await serve(below('/debian', folder));
    for (const end of ['dists/stable/', 'dists/stable', 'dists/stable/Release', 'dists/stable/InRelease']) {
      const cli = importing();
      expect(resultOf(await cli.import('deb', `${url}/debian/${end}`, '--json'))).toMatchObject({ packages: 1 });
      expect(await cli.list()).toContain('/p/dists/stable/Release\t');
      expect(await cli.list()).toContain(`\t${url}/debian/pool/main/bear_4.1_all.deb\n`);
    }
    await expect(importing().import('deb', `${url}/debian/`)).rejects.toThrow(
      'a repository with suites needs --suite NAME',
    );
  });

  it.each([
    ['ftp://h/zoo', "'ftp://h/zoo': ftp: is not supported, expected http:, https:, file: or a folder"],
    ['rsync://h/zoo', 'rsync: is not supported'],
  ])('is not %s', async (source, message) => {
    await expect(importing().import('yum', source)).rejects.toThrow(message);
  });

  it.each(['--suite', '--component', '--arch'])('is read as a whole if it is not a Debian one: %s', async (option) => {
    const message = `${option}: a repository of type yum is read as a whole, expected deb`;
    await expect(importing().import('yum', 'https://h/', option, 'x')).rejects.toThrow(message);
    await expect(
      importing().run('catalog', 'follow', 'yum', 'https://h/', '--prefix', '/p', option, 'x'),
    ).rejects.toThrow(message);
  });

  it('that answers with an HTML page is refused', async () => {
    const { url } = await serve(text('<html>Log in</html>'));
    await expect(importing().import('yum', url)).rejects.toThrow(
      `${url}/repodata/repomd.xml is an HTML page, not metadata`,
    );
  });

  it('whose first package cannot be fetched is warned of', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A', 'b.iso': 'B' });
    const { url } = await serve(below('', folder, { '/a.iso': (_, response) => response.writeHead(404).end() }));
    const cli = importing();
    expect((await cli.import('files', url)).err).toBe(
      `warning: a package cannot be fetched: ${url}/a.iso answered 404\n`,
    );
    expect(resultOf(await cli.import('files', url, '--json'))).toMatchObject({
      unreachable: `${url}/a.iso answered 404`,
    });
    writeFileSync(join(folder, 'PULP_MANIFEST'), `b.iso,${sha256('B')},2\n`);
    expect((await cli.import('files', url)).err).toContain('/b.iso has 1 bytes, but the metadata lists 2');
  });

  it('may refuse HEAD', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const files = serveFolder(folder);
    const { url, requests } = await serve((request, response) =>
      request.method === 'HEAD' ? response.writeHead(403).end() : files(request, response),
    );
    expect((await importing().import('files', url)).err).toBe('');
    expect(requests.map(({ method, url, headers }) => [method, url, headers.range]).slice(-2)).toEqual([
      ['HEAD', '/a.iso', undefined],
      ['GET', '/a.iso', 'bytes=0-0'],
    ]);
  });

  it('leaves out what is odd, unless that is fatal', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    writeFileSync(
      join(folder, 'PULP_MANIFEST'),
      `a.iso,${sha256('A')},1\na.iso,${sha256('B')},1\n../x,${sha256('B')},1\n`,
    );
    const cli = importing();
    const { out, err } = await cli.import('files', folder);
    expect(out).toBe('/p: 1 package and 1 metadata file, revision 1, 2 odd entries left out\n');
    expect(err).toBe(
      'warning: left out: PULP_MANIFEST: line 3: location "../x" leads out of the repository, expected a relative path\n' +
        `warning: left out: file://${folder}/: lists /p/a.iso twice, with different checksums\n`,
    );
    await expect(cli.import('files', folder, '--strict')).rejects.toThrow('PULP_MANIFEST: line 3: location "../x"');
    expect(await cli.list()).toContain('/p/a.iso\t1\t');
  });
});

const METALINK = (first: string, second: string) => `<?xml version="1.0"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="repomd.xml"><size>1</size><resources>
<url protocol="rsync" type="rsync" preference="100">rsync://h/zoo/repodata/repomd.xml</url>
<url protocol="http" type="http" preference="99">${second}/repodata/repomd.xml</url>
<url protocol="http" type="http" preference="100">${first}/repodata/repomd.xml</url>
</resources></file></files></metalink>`;

describe('an import from mirrors', () => {
  it.each([
    ['a metalink', '/metalink', (one: string, two: string) => METALINK(one, two)],
    [
      'a metalink of RFC 5854',
      '/zoo.meta4',
      (one: string, two: string) =>
        `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="repomd.xml"><url priority="2">${two}/repodata/repomd.xml</url><url priority="1">${one}/repodata/repomd.xml</url></file></metalink>`,
    ],
    [
      'a list',
      '/mirrorlist?repo=zoo&arch=noarch',
      (one: string, two: string) => `# zoo\n${one}/\nftp://h/zoo/\nhttp://u:secret@h/zoo/\nhttp://h/?zoo\n${two}\n`,
    ],
  ])('reads %s, and continues with the next mirror', async (_, path, list) => {
    const broken = await serve((_, response) => response.writeHead(404).end());
    const two = await serve(below('/zoo', ZOO));
    const lists = await serve(text(list(`${broken.url}/pub`, `${two.url}/zoo`)));
    const cli = importing();
    const { packages, importer, unreachable } = resultOf(await cli.import('yum', lists.url + path, '--json'));
    expect({ packages, unreachable }).toEqual({ packages: 5, unreachable: undefined });
    expect(await cli.list()).toContain(`\t${broken.url}/pub/Packages/bear-4.1-1.noarch.rpm\n`);
    expect(resultOf(await cli.run('importers', 'show', importer, '--json')).config.mirrors).toEqual({
      [lists.url + path.replace(/\?.*/, '?***')]: [`${broken.url}/pub/`, `${two.url}/zoo/`],
    });
  });

  const hashed = (urls: readonly string[], present: string, earlier: readonly string[] = []): string => {
    const verified = (content: string) =>
      `<size>${content.length}</size><verification><hash type="md5">${'0'.repeat(32)}</hash><hash type="sha256">${sha256(content)}</hash></verification>`;
    return `<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager"><files>
      <file name="repomd.xml"><mm0:timestamp>1</mm0:timestamp>${verified(present)}
      <mm0:alternates>${earlier.map((one) => `<mm0:alternate><mm0:timestamp>0</mm0:timestamp>${verified(one)}</mm0:alternate>`).join('')}</mm0:alternates>
      <resources>${urls.map((url, at) => `<url protocol="http" preference="${100 - at}">${url}/repodata/repomd.xml</url>`).join('')}</resources>
      </file></files></metalink>`;
  };
  const REPOMD = readFileSync(join(ZOO, 'repodata/repomd.xml'), 'utf8');
  /** A mirror with another version of `repomd.xml`, of the same length. */
  const mirrorWith = (repomd: string) => {
    const files = below('', ZOO);
    return serve((request, response) =>
      request.url === '/repodata/repomd.xml' ? response.end(repomd) : files(request, response),
    );
  };
  const OLD = REPOMD.replace(/<revision>\d/, '<revision>9');
  const WRONG = REPOMD.replace(/<revision>\d/, '<revision>8');
  const entryOf = async (cli: ReturnType<typeof importing>, path: string) =>
    JSON.parse((await cli.run('catalog', 'show', path, '--json')).out)[0];

  it('takes the version of repomd.xml that the metalink states, from a mirror that has it', async () => {
    const [old, present] = [await mirrorWith(OLD), await mirrorWith(REPOMD)];
    const lists = await serve(text(hashed([old.url, present.url], REPOMD, [OLD])));
    const cli = importing();
    expect(resultOf(await cli.import('yum', `${lists.url}/metalink`, '--json'))).toMatchObject({ packages: 5 });
    expect((await entryOf(cli, '/p/repodata/repomd.xml')).checksum).toBe(sha256(REPOMD));
    expect(old.requests.map(({ url }) => url)).toContain('/repodata/repomd.xml');
  });

  it('takes an earlier version that the metalink states, if no mirror has the present one', async () => {
    const [wrong, old] = [await mirrorWith(WRONG), await mirrorWith(OLD)];
    const lists = await serve(text(hashed([wrong.url, old.url], REPOMD, [OLD])));
    const cli = importing();
    await cli.import('yum', `${lists.url}/metalink`);
    expect((await entryOf(cli, '/p/repodata/repomd.xml')).checksum).toBe(sha256(OLD));
  });

  it('is refused if no mirror has a version that the metalink states, also when it is refreshed', async () => {
    const [one, two] = [await mirrorWith(WRONG), await mirrorWith(WRONG)];
    let list = hashed([one.url, two.url], REPOMD, [OLD]);
    const lists = await serve((_, response) => response.end(list));
    const cli = importing();
    const refusal = `no mirror has a version that ${lists.url}/metalink states, of which the present one has sha256 ${sha256(REPOMD)}`;
    await expect(cli.import('yum', `${lists.url}/metalink`)).rejects.toThrow(refusal);
    list = hashed([one.url, two.url], WRONG);
    await cli.import('yum', `${lists.url}/metalink`);
    expect((await cli.run('catalog', 'refresh')).out).toContain('unchanged');
    list = hashed([one.url, two.url], REPOMD);
    await expect(cli.run('catalog', 'refresh')).rejects.toThrow('1 of 1 repositories could not be refreshed');
    const [repository] = JSON.parse((await cli.run('catalog', 'list', '--json')).out);
    expect(repository.error).toContain(refusal);
  });

  it('keeps its importer when the list changes', async () => {
    const [one, two] = [await serve(below('/a', ZOO)), await serve(below('/b', ZOO))];
    const bases = [`${one.url}/a/`, `${two.url}/b/`];
    const lists = await serve((_, response) => response.end(bases.join('\n')));
    const cli = importing();
    const list = `${lists.url}/mirrorlist`;
    const before = resultOf(await cli.import('yum', list, '--json'));
    bases.reverse();
    const after = resultOf(await cli.import('yum', list, '--json'));
    expect(after).toMatchObject({ importer: before.importer, revision: 2, removed: 9 });
    expect((await cli.list()).split('\n')).toHaveLength(10);
    bases.splice(0, 2, `${lists.url}/nowhere/`);
    await expect(cli.import('yum', list)).rejects.toThrow('not well-formed XML');
    const { config } = resultOf(await cli.run('importers', 'show', before.importer, '--json'));
    expect(config.mirrors[list]).toEqual([`${two.url}/b/`, `${one.url}/a/`]);
  });

  it('is refused if there are none', async () => {
    const lists = await serve(text('<html>no list</html>'));
    await expect(importing().import('yum', `${lists.url}/?token=1`)).rejects.toThrow(
      /is an HTML page, not metadata; expected a metalink.* --query-token$/,
    );
    const empty = await serve(text('# nothing\n'));
    await expect(importing().import('yum', `${empty.url}/mirrorlist?token=1`)).rejects.toThrow(
      `${empty.url}/mirrorlist?***: lists no mirrors, expected a metalink, or a URL (http, https) a line; a token that each request needs is --query-token`,
    );
  });
});

describe('the credentials of an import', () => {
  it('may be a token and header fields, which no output shows', async () => {
    const files = below('/zoo', ZOO);
    const { url, requests } = await serve((request, response) => {
      const isAllowed = request.headers['x-key'] === 'hunter3' && request.url?.endsWith('?token=hunter2');
      return isAllowed ? files(request, response) : response.writeHead(403).end();
    });
    const cli = importing();
    const credentials = ['--query-token', '?token=hunter2', '--header', 'X-Key: hunter3', '--header', 'X-Other: 1'];
    const done = await cli.import('yum', `${url}/zoo`, ...credentials, '--json');
    const { importer, packages } = resultOf(done);
    expect([packages, requests.every(({ headers }) => headers['x-other'] === '1')]).toEqual([5, true]);
    const outputs = [
      done,
      await cli.run('importers', 'show', importer),
      await cli.run('importers', 'list'),
      await cli.run('importers', 'list', '--json'),
      await cli.run('catalog', 'list'),
      await cli.run('catalog', 'export'),
    ];
    for (const { out, err } of outputs) expect(out + err).not.toContain('hunter');
    expect(outputs[1]?.out).toContain('headers: {"X-Key":"********","X-Other":"********"}\n');
    await expect(cli.import('yum', `${url}/zoo`, '--query-token', 'token=hunter9')).rejects.toThrow(
      `${url}/zoo/repodata/repomd.xml answered 403`,
    );
  });

  it.each([
    [['--header', 'X-Key'], 'expected NAME: VALUE'],
    [['--header', 'X: a\r\nHost: b'], 'expected NAME: VALUE'],
    [['--header', 'Host: b'], 'Host is set by the streamer itself'],
    [['--query-token', 'a b'], 'expected a part of a URL'],
  ])('are refused as %j', async (options, message) => {
    await expect(importing().import('yum', 'http://h/', ...options)).rejects.toThrow(message);
  });

  it('may be one file with the certificate and its key, in any order', async () => {
    const certificates = await createCertificates();
    const { url } = await serve(below('/zoo', ZOO), demanding(certificates));
    const { client, otherClient, authority } = certificates;
    for (const [name, pem] of Object.entries({
      first: `${client.cert}\n${client.key}`,
      last: `${client.key}\n${client.cert}`,
    })) {
      const cli = importing();
      const credentials = ['--ca', cli.write('ca.pem', authority.cert), '--client-cert', cli.write(name, pem)];
      const { importer, packages } = resultOf(await cli.import('yum', `${url}/zoo`, ...credentials, '--json'));
      expect(packages).toBe(5);
      const shown = await cli.run('importers', 'show', importer, '--json');
      expect(shown.out).not.toContain(client.key.split('\n')[1]);
    }
    const cli = importing();
    const wrong = cli.write('wrong.pem', `${client.cert}\n${otherClient.key}`);
    await expect(cli.import('yum', `${url}/zoo`, '--client-cert', wrong)).rejects.toThrow(
      `--client-cert ${wrong} is not the key of --client-cert ${wrong}`,
    );
  });
});
