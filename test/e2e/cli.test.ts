import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { filesBelow, temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { sha256 } from '../support/importing.ts';
import { ownEnvironment, processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { makeSite, pulpStreamer } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const said = async (...args: string[]) => {
  const { status, stdout, stderr } = await pulpStreamer(start, ...args).ended;
  return { status, stdout: stdout.toString(), stderr };
};

const CONTENT = generate(7, 3_000_001);
const DIGEST = digestOfGenerated(CONTENT);

/** A site with one path; `checksum` is the one in its catalog. */
const openSite = async ({ checksum = DIGEST, serve = serveGenerated(new Map([['/bear.rpm', CONTENT]])) } = {}) => {
  const feed = await startFeed(serve);
  const site = makeSite(start, folder());
  const url = `${feed.url}/bear.rpm`;
  await site.run('catalog', 'add', '/zoo/bear.rpm', url, '--checksum', `sha256:${checksum}`, '--size', '3000001');
  return { feed, site, url };
};

/** A feed that states its length, and never sends more than a part. */
const halting: RequestListener = (_, response) => {
  response.writeHead(200, { 'Content-Length': CONTENT.size });
  response.write(CONTENT.block(0));
};

describe('exit statuses', () => {
  it.each<[status: number, what: string, args: string[], stderr: RegExp]>([
    [0, 'the version', ['version'], /^$/],
    [2, 'no command', [], /^Usage: /],
    [2, 'an unknown option', ['serve', '--unicorn'], /unknown option '--unicorn'/],
    [2, 'an unknown format', ['catalog', 'import', 'zip', '/', '--prefix', '/'], /Allowed choices are yum, deb, files/],
    [2, 'a path that is none', ['catalog', 'add', 'p', 'http://h/'], /expected a path that begins with \//],
    [78, 'a wrong flag', ['check-config', '--port', 'many'], /flag --port: expected .*; found "many"/],
    [
      78,
      'an unknown interface',
      ['serve', '--port', '0', '--interfaces', 'lo9'],
      /"lo9" is neither .*This machine has /,
    ],
  ])('%d for %s', async (status, _, args, stderr) => {
    const finished = await said(...args);
    expect(finished.stderr).toMatch(stderr);
    expect(finished.status).toBe(status);
  });

  it('78 for a port in use, and nothing keeps running', async () => {
    const { port } = await startFeed(() => {});
    const site = makeSite(start, folder(), { port });
    const { status, stderr } = await site.start('serve').ended;
    expect(stderr).toMatch(/EADDRINUSE/);
    expect(status).toBe(78);
  });

  it('78 for a file with mistakes: each by file, line and key, with the expected form', async () => {
    const file = join(folder(), 'wrong.conf');
    writeFileSync(file, '[streamer]\nport: many\n# fine\ncache_timeout: soon\n');
    const { status, stderr } = await said('serve', '--config', file);
    expect(stderr).toContain(`${file}:2: [streamer] port: expected a whole number from 0 to 65535; found "many"`);
    expect(stderr).toContain(`${file}:4: [streamer] cache_timeout: expected a duration`);
    expect(status).toBe(78);
  });
});

describe('help', () => {
  const commandsBelow = (command: Command): Command[] => [command, ...command.commands.flatMap(commandsBelow)];

  it('describes every command and every option', async () => {
    const all = commandsBelow(await createProgram());
    expect(all.length).toBeGreaterThan(15);
    const described = all.flatMap((command) => [
      [command.name(), command.description()],
      ...command.options.map(({ flags, description }) => [`${command.name()} ${flags}`, description]),
    ]);
    expect(described.filter(([, description]) => !description)).toEqual([]);
  });

  it('is shown for a command', async () => {
    const { status, stdout, stderr } = await said('catalog', 'import', '--help');
    expect(stdout).toMatch(/^Usage: pulp-streamer catalog import \[options\] <format> <source>\n/);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('check-config --print', () => {
  it('prints every value and its origin: flag over environment over file over default', async () => {
    const file = join(folder(), 'streamer.conf');
    writeFileSync(file, '[streamer]\nport: 1\ncache_timeout: 1h\nstop_timeout: 3\n');
    const env = { ...ownEnvironment(), PULP_STREAMER_PORT: '2', PULP_STREAMER_CACHE_TIMEOUT: '2h' };
    const main = ['src/cli/launcher.cjs', 'check-config', '--print', '--port', '3', '--config', file];
    const { status, stdout, stderr } = await start(process.execPath, main, { env }).ended;
    const lines = stdout.toString().replaceAll(/ +/g, ' ').split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'port 3 flag --port',
        'cache_timeout 7200 s environment PULP_STREAMER_CACHE_TIMEOUT',
        `stop_timeout 3 s ${file}:4`,
        'dispatch save default',
      ]),
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

describe('explain', () => {
  it('prints entry and candidates without fetching', async () => {
    const { feed, site, url } = await openSite();
    const text = await site.run('explain', '/zoo/bear.rpm');
    expect(text).toMatch(/^path +\/zoo\/bear\.rpm$/m);
    expect(text).toMatch(new RegExp(`^checksum +sha256:${DIGEST}$`, 'm'));
    expect(text).toMatch(new RegExp(`^ 1\\. feed:127\\.0\\.0\\.1:${feed.port} +${url}$`, 'm'));

    const json = JSON.parse(await site.run('explain', '/zoo/bear.rpm', '--json'));
    expect(json).toMatchObject({
      path: '/zoo/bear.rpm',
      checksum: `sha256:${DIGEST}`,
      size: 3_000_001,
      candidates: [{ source: `feed:127.0.0.1:${feed.port}`, url, revision: 1, credentials: [] }],
    });
    expect(feed.requests).toEqual([]);
  });

  it('fails for an unknown path', async () => {
    const { site } = await openSite();
    const { status, stdout, stderr } = await site.start('explain', '/zoo/unicorn.rpm').ended;
    expect(stderr).toBe('error: the catalog has no entry for /zoo/unicorn.rpm\n');
    expect(stdout.toString()).toBe('');
    expect(status).toBe(1);
  });
});

describe('fetch', () => {
  it('writes to a file', async () => {
    const { site } = await openSite();
    const home = folder();
    const { status, stdout, stderr } = await site.start('fetch', '/zoo/bear.rpm', '-o', join(home, 'bear')).ended;
    expect(stderr).toMatch(/^3000001 bytes from feed:127\.0\.0\.1:\d+ in \d+ ms, sha256 verified\n$/);
    expect(stdout.toString()).toBe('');
    expect(status).toBe(0);
    expect(filesBelow(home)).toEqual(['bear']);
    expect(sha256(readFileSync(join(home, 'bear')))).toBe(DIGEST);
  });

  it('writes to standard output, and the report as JSON to standard error', async () => {
    const { site } = await openSite();
    const { status, stdout, stderr } = await site.start('fetch', '/zoo/bear.rpm', '--json').ended;
    expect(sha256(stdout)).toBe(DIGEST);
    expect(JSON.parse(stderr)).toMatchObject({ path: '/zoo/bear.rpm', bytes: 3_000_001, verified: 'sha256' });
    expect(status).toBe(0);
  });

  it('leaves nothing behind if the content does not match the catalog', async () => {
    const { site } = await openSite({ checksum: sha256('something else') });
    const home = folder();
    const { status, stderr } = await site.start('fetch', '/zoo/bear.rpm', '-o', join(home, 'bear')).ended;
    expect(stderr).toContain(`has sha256 ${DIGEST}, but the catalog lists`);
    expect(status).toBe(1);
    expect(filesBelow(home)).toEqual([]);
  });

  it('leaves nothing behind if it is interrupted', async () => {
    const { site } = await openSite({ serve: halting });
    const home = folder();
    const running = site.start('fetch', '/zoo/bear.rpm', '-o', join(home, 'bear'));
    await until(() => filesBelow(home).includes('bear.partial'));
    running.kill('SIGINT');
    const { status, stderr } = await running.ended;
    expect(stderr).toBe('error: interrupted\n');
    expect(status).toBe(1);
    expect(filesBelow(home)).toEqual([]);
  });

  it('never prints the secrets of a URL', async () => {
    const { feed, site } = await openSite({ serve: serveGenerated(new Map([['/bear.rpm?token=s3cret', CONTENT]])) });
    const url = `http://me:s3cret@127.0.0.1:${feed.port}`;
    for (const name of ['bear', 'none'])
      await site.run('catalog', 'add', `/${name}`, `${url}/${name}.rpm?token=s3cret`);
    const said = [['/bear', '--json'], ['/bear'], ['/none']].map((args) => site.start('fetch', ...args).ended);
    const told = (await Promise.all(said)).map(({ stderr }) => stderr);
    expect(told[0]).toContain(`http://***@127.0.0.1:${feed.port}/bear.rpm?***`);
    expect(told[2]).toMatch(/^error: .*\/none\.rpm\?\*\*\* answered 404/);
    expect(told.join()).not.toContain('s3cret');
  });

  itNeeding(['script'])('draws a progress bar on a terminal, and erases it', async () => {
    const { site } = await openSite();
    const command = `'${process.execPath}' src/cli/launcher.cjs fetch /zoo/bear.rpm -o '${join(folder(), 'bear')}' --config '${site.config}'`;
    const terminal = start('script', ['--quiet', '--return', '--command', command, '/dev/null']);
    const { stdout, status } = await terminal.ended;
    const [, ...drawn] = stdout.toString().split('\r\x1b[K');
    expect(drawn[0]).toMatch(/^\[#*\.+\] \d+ % \d+\.\d .iB of 2\.9 MiB$/);
    expect(drawn.at(-1)).toMatch(/^3000001 bytes from feed/);
    expect(status).toBe(0);
  });
});
