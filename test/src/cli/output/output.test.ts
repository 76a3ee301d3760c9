import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { streamTo } from '../../../../src/cli/output/as-it-is.ts';
import { openOutput } from '../../../../src/cli/output/output.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { itAsRoot, NOBODY } from '../../../support/nobody.ts';

const folder = temporaryFolders();

/** Opens an output named `bear`, and starts it. */
const begin = async (home = folder()) => {
  const path = join(home, 'bear');
  const partial = `${path}.partial`;
  const output = await openOutput(path);
  return { home, path, partial, output, stream: output.start() };
};

const failureOf = async (name: string): Promise<string> =>
  openOutput(name).then(
    () => 'none',
    ({ message }) => message,
  );

describe('a file as output', () => {
  it('does not exist before it is complete', async () => {
    const { home, path, output, stream } = await begin();
    stream.write('a bear');
    expect(readdirSync(home)).toEqual(['bear.partial']);
    await output.finish();
    output[Symbol.dispose]();
    expect(readFileSync(path, 'utf8')).toBe('a bear');
    expect(readdirSync(home)).toEqual(['bear']);
  });

  it('leaves nothing when it is discarded', async () => {
    const { home, output, stream } = await begin();
    stream.write('a bea');
    output[Symbol.dispose]();
    expect(readdirSync(home)).toEqual([]);
  });

  it('never has a wider mode, while it is written, than the file it replaces', async () => {
    const home = folder();
    writeFileSync(join(home, 'bear'), 'before');
    chmodSync(join(home, 'bear'), 0o600);
    const { partial, path, output } = await begin(home);
    expect(statSync(partial).mode & 0o777).toBe(0o600);
    await output.finish();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('replaces the leftover of a killed process', async () => {
    const home = folder();
    writeFileSync(join(home, 'bear.partial'), 'half a bear, and more of it than of the new one');
    const { path, output, stream } = await begin(home);
    stream.write('a bear');
    await output.finish();
    expect(readFileSync(path, 'utf8')).toBe('a bear');
  });

  it.each<[string, (path: string) => unknown]>([
    ['FIFO', (path) => execFileSync('mkfifo', [path])],
    ['link', (path) => symlinkSync('elsewhere', path)],
    ['folder', (path) => mkdirSync(path)],
  ])('does not replace a %s that blocks its name', async (_, make) => {
    const home = folder();
    const path = join(home, 'bear');
    make(`${path}.partial`);
    const before = lstatSync(`${path}.partial`);
    using output = await openOutput(path);
    expect(() => output.start()).toThrow(`-o ${path}: EEXIST`);
    expect(lstatSync(`${path}.partial`)).toMatchObject({ ino: before.ino, mode: before.mode });
    expect(readdirSync(home)).toEqual(['bear.partial']);
  });

  it('does not use a file that another process has put in place of its partial file', async () => {
    const { home, path, partial, output } = await begin();
    renameSync(partial, join(home, 'mine'));
    writeFileSync(partial, 'half a bear of another process');
    await expect(output.finish()).rejects.toThrow(`-o ${path}: another process has replaced ${partial}`);
    output[Symbol.dispose]();
    expect(readdirSync(home)).toEqual(['bear.partial', 'mine']);
  });

  it('does not replace a file that is no longer regular when the output is complete', async () => {
    const { home, path, output } = await begin();
    execFileSync('mkfifo', [path]);
    await expect(output.finish()).rejects.toThrow(`-o ${path}: it is no longer a regular file`);
    output[Symbol.dispose]();
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(readdirSync(home)).toEqual(['bear']);
  });

  itAsRoot('keeps its owner when root replaces it', async () => {
    const home = folder();
    writeFileSync(join(home, 'bear'), 'before');
    chownSync(join(home, 'bear'), NOBODY.uid, NOBODY.gid);
    const { path, output } = await begin(home);
    await output.finish();
    expect(statSync(path)).toMatchObject(NOBODY);
  });
});

describe('an unusable output', () => {
  it('is named, with the reason', async () => {
    const home = folder();
    const at = (name: string) => join(home, name);
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    const server = createServer().listen(at('closed'));
    await new Promise((resolve) => server.once('listening', resolve));
    // Closing the server removes its name. The second name stays, and no process listens there.
    execFileSync('ln', [at('closed'), at('socket')]);
    await new Promise((resolve) => server.close(resolve));
    const expected = {
      '': '-o : is a folder; expected a file',
      '/': '-o /: is a folder; expected a file',
      [at('none/')]: `-o ${at('none/')}: is a folder; expected a file`,
      [at('none/bear')]: `-o ${at('none/bear')}: folder ${at('none')} does not exist`,
      [at('a')]: `-o ${at('a')}: too many symbolic links`,
      [at('socket')]: `-o ${at('socket')}: no process listens there`,
      '/dev/fd/999': '-o /dev/fd/999: no such descriptor is open',
    };
    const found = await Promise.all(Object.keys(expected).map(async (name) => [name, await failureOf(name)]));
    expect(Object.fromEntries(found)).toEqual(expected);
    expect(readdirSync(home).sort()).toEqual(['a', 'b', 'socket']);
  });

  it('is not created again if a device is removed before it is opened', async () => {
    const home = folder();
    const stats = statSync('/dev/null');
    await expect(streamTo({ kind: 'special', path: join(home, 'null'), stats })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(readdirSync(home)).toEqual([]);
  });
});
