import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { publint } from 'publint';
import { followedMaps } from '../support/declaration-maps.ts';
import { filesBelow } from '../support/imports.ts';
import { temporaryFolders } from '../support/temporary.ts';

const folder = temporaryFolders();
const ROOT = process.cwd();
const SOURCES = 'pipelines/operators';
const { name, peerDependencies } = JSON.parse(readFileSync(join(ROOT, SOURCES, 'package.json'), 'utf8'));
const tool = (path: string) => join(ROOT, 'node_modules', path);

/** The releases of RxJS that it is for: the oldest one, and the last before the next. */
const RELEASES = ['7.8.0', '8.0.0-alpha.14'];
/** Bytes of all operators, minified and compressed, without RxJS. */
const SIZE = 8_500;

const USER_FILE = `
import { createFlow, flow, fromReadable, lift, rateLimit, toReadable, type Flow, type Valve } from '${name}';
import { checkFlow } from '${name}/testing';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { map, of } from 'rxjs';

const valve: Valve = of(true);
const bytes: Flow<Uint8Array> = fromReadable(() => createReadStream('x'));
const lengths: Flow<number> = flow(bytes, lift(map(({ length }) => length)));
lengths(valve).subscribe((length) => length.toFixed());
const readable: Readable = toReadable(bytes, Readable);
readable.resume();
checkFlow(() => (source) => source);
// @ts-expect-error: an operator has no valve of its own
flow(bytes, rateLimit({ perSecond: 1, size: () => 1, split: (one) => [one, one], valve }));
// @ts-expect-error: a flow is no Observable until it has its valve
bytes.subscribe();
// @ts-expect-error: a producer can be paused
createFlow(() => ({ close: () => {} }));
`;

/** Programs of the README, with what surrounds them. */
const AROUND: readonly (readonly [before: string, after: string])[] = [
  [
    "import { createServer, connect } from 'node:net'; import { once } from 'node:events';" +
      "const server = createServer().listen(0); await once(server, 'listening');" +
      "const client = connect(server.address().port); const [socket] = await once(server, 'connection'); client.resume(); client.on('end', () => { client.end(); server.close(); });",
    '',
  ],
  [
    "import { BehaviorSubject } from 'rxjs'; import { createReadStream } from 'node:fs'; import { fromReadable } from 'NAME';" +
      "const file = fromReadable(() => createReadStream('large')); let taken = 0; const queue = []; setInterval(() => { taken += queue.splice(0).length; queue.onEmpty?.(); }, 1).unref();",
    '',
  ],
  [
    "import { map } from 'rxjs'; import { PassThrough } from 'node:stream'; import { flow, fromAsyncIterable, lift, pipeTo } from 'NAME';" +
      'const response = new PassThrough(); const collection = { find: async function* () { yield 1; yield 2; } };',
    'for await (const bytes of response) process.stdout.write(bytes);',
  ],
  [
    "import { createReadStream } from 'node:fs'; import { fromAsyncIterable, fromReadable, mergeFlow, toAsyncIterable } from 'NAME';" +
      "const names = ['large', 'large', 'large']; let length = 0; const consume = async (bytes) => { length += bytes.length; };",
    'console.log(length);',
  ],
  [
    "import { fromEventTarget, toAsyncIterable } from 'NAME'; const socket = new EventTarget(); let seen = 0;" +
      "setImmediate(() => { for (const data of [1, 2, 3]) socket.dispatchEvent(new MessageEvent('message', { data })); });" +
      'const consume = async (data) => { console.log(data); if (++seen === 3) process.exit(0); };',
    '',
  ],
  ['const myOperator = () => (source) => source;', ''],
];
const PRINTED = ['sent\n', '', '1\n2\n', `${3 * 300_000}\n`, '1\n2\n3\n', ''];

describe.each(RELEASES)('the package of the operators, in an empty project with RxJS %s', (release) => {
  let project: string;
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });

  beforeAll(() => {
    project = installed(release);
  });

  it('is for this release', () => expect(peerDependencies.rxjs).toContain(release));

  it('costs nothing but itself and RxJS', () => {
    const all = readdirSync(join(project, 'node_modules')).filter((one) => !one.startsWith('.') && one !== 'tslib');
    expect(all.toSorted()).toEqual(['rxjs', name]);
  });

  it('obeys the laws of flows', () => {
    writeFileSync(join(project, 'laws.mjs'), LAWS.replaceAll('NAME', name));
    expect(run('laws.mjs')).toBe('lawful\n');
  });

  it('can be required', () => {
    writeFileSync(join(project, 'old.cjs'), `console.log(typeof require('${name}').createFlow);`);
    expect(run('old.cjs')).toBe('function\n');
  });

  it('has useful types, for Node and for bundlers', () => {
    writeFileSync(join(project, 'user.ts'), USER_FILE);
    const types = ['--types', 'node', '--typeRoots', tool('@types'), '--target', 'es2024', '--lib', 'es2024,dom'];
    for (const resolution of [['nodenext'], ['esnext', '--moduleResolution', 'bundler']])
      execFileSync(
        tool('.bin/tsc'),
        ['--noEmit', '--strict', '--skipLibCheck', ...types, '--module', ...resolution, 'user.ts'],
        {
          cwd: project,
          encoding: 'utf8',
        },
      );
  });

  const programs = [...readFileSync(join(ROOT, SOURCES, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)];
  it('has programs in its README', () => expect(programs).toHaveLength(AROUND.length));
  it.each(programs.map(([, code = ''], at) => [at, code] as const))('runs program %i of its README', (at, code) => {
    const [before, after] = AROUND[at]!;
    writeFileSync(join(project, 'large'), Buffer.alloc(300_000));
    writeFileSync(join(project, 'program.mjs'), `${before}\n${code}\n${after}`.replaceAll('NAME', name));
    expect(run('program.mjs')).toBe(PRINTED[at]);
  });
});

/** Some operators of each kind. */
const LAWS = `
import { NEVER, of } from 'rxjs';
import * as all from 'NAME';
import { checkFlow } from 'NAME/testing';
const one = (value) => () => of(value);
const late = { timeoutMs: 1e9, error: () => new Error() };
checkFlow(() => (source) => source);
checkFlow(({ scheduler }) => all.stallTimeout({ ...late, scheduler }));
checkFlow(({ scheduler }) => all.fuse(all.closedTimeout({ ...late, scheduler }), all.firstTimeout({ ...late, scheduler }), all.meter({ scheduler })));
checkFlow(({ scheduler }) => all.speedFloor({ atLeast: 0, window: 100, size: () => 1, error: () => new Error(), scheduler }));
checkFlow(({ lending, scheduler }) => all.rateLimit({ perSecond: 1e6, size: () => 1, split: (value) => [value, value], lending, scheduler }));
checkFlow(({ lending }) => all.mergeFlow(2, one, lending));
checkFlow(() => all.switchFlow(one));
checkFlow(() => all.lift(all.limitConcurrency(1)));
checkFlow(({ lending, scheduler }) => {
  const join = all.shareFlow({ size: () => 1, lateJoinWindow: 0, window: 9, memory: 9, lending, scheduler });
  return (source) => join({ key: '', source: () => source, fallback: () => NEVER, onJoin: {} });
});
console.log('lawful');
`;

let packed: string | undefined;
/** What \`npm run build\` makes of the operators, packed once. */
const tarball = (): string => {
  if (packed) return packed;
  const built = folder();
  execFileSync(tool('.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', built], { cwd: ROOT });
  execFileSync(process.execPath, ['scripts/operators.ts', built], { cwd: ROOT });
  execFileSync('npm', ['pack', '--pack-destination', built, '--ignore-scripts'], {
    cwd: join(built, SOURCES),
    stdio: 'ignore',
  });
  packed = join(built, readdirSync(built).find((file) => file.endsWith('.tgz')) ?? '');
  return packed;
};

const installed = (release: string): string => {
  const project = folder();
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const options = ['--no-audit', '--no-fund', '--prefer-offline'];
  execFileSync('npm', ['install', tarball(), `rxjs@${release}`, ...options], { cwd: project, stdio: 'ignore' });
  return project;
};

describe('the package of the operators', () => {
  it('has declarations that lead to their sources', () => {
    const followed = followedMaps(join(installed(RELEASES[0]!), 'node_modules', name));
    expect(followed.length).toBeGreaterThan(50);
    expect(followed.filter(([exported, found]) => exported !== found)).toEqual([]);
  });

  it('is a proper package', async () => {
    const { messages } = await publint({
      pack: { tarball: new Uint8Array(readFileSync(tarball())).buffer },
      strict: true,
    });
    expect(messages).toEqual([]);
  });

  it('is small, and nothing of it is loaded that is not used', () => {
    const project = installed(RELEASES[0]!);
    const sizeOf = (code: string) => {
      writeFileSync(join(project, 'entry.js'), code);
      execFileSync(tool('.bin/rolldown'), ['entry.js', '--external', 'rxjs', '--minify', '--file', 'bundle.js'], {
        cwd: project,
        stdio: 'ignore',
      });
      return gzipSync(readFileSync(join(project, 'bundle.js'))).length;
    };
    expect(sizeOf(`export * from '${name}';`)).toBeLessThan(SIZE);
    expect(sizeOf(`export { createFlow } from '${name}';`)).toBeLessThan(1_500);
    expect(sizeOf(`import '${name}';`)).toBeLessThan(60);
  });

  it('uses what RxJS marks as internal in one file', () => {
    const users = filesBelow(SOURCES).filter((file) =>
      /new Subscriber\b|extends Subscriber\b|rxjs\/internal|\b_(next|error|complete)\b/.test(
        readFileSync(join(ROOT, file), 'utf8'),
      ),
    );
    expect(users).toEqual([`${SOURCES}/subscriber.ts`]);
  });

  it('states its size', () => {
    const readme = readFileSync(join(ROOT, SOURCES, 'README.md'), 'utf8');
    expect(readme).toContain(
      `All of it is ${SIZE / 1000} kB at most, minified and compressed; \`createFlow\` alone is 1.5 kB.`,
    );
  });

  it('states every law', () => {
    const readme = readFileSync(join(ROOT, SOURCES, 'README.md'), 'utf8').replace(/\s+/g, ' ');
    const laws = readFileSync(join(ROOT, SOURCES, 'testing/laws.ts'), 'utf8');
    const stated = [...laws.matchAll(/: '(.*)',/g)].map(([, law = '']) => law);
    expect(stated).toHaveLength(7);
    expect(stated.filter((law) => !readme.includes(law))).toEqual([]);
  });
});
