import { describe, expect, it } from '@jest/globals';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const makeCli = () => makeCatalogCli(newFolder());
const add = ['importers', 'add', '--username', 'u'];

describe('secrets in files', () => {
  it('are taken as those in arguments', async () => {
    const { run, write, configs } = makeCli();
    const files = [
      ...['--password-file', write('password', ' p w \n'), '--query-token-file', write('token', '?t=1\r\n')],
      ...['--header-file', write('header', 'X-A: a\n\nX-B: b\n'), '--header', 'X-C: c'],
    ];
    // Its feed does not exist, but is opened with these.
    const repository = ['catalog', 'import', 'files', newFolder(), '--prefix', '/a', '--username', 'u'];
    await expect(run(...repository, ...files)).rejects.toThrow();
    expect(configs).toEqual([
      expect.objectContaining({
        basic_auth_password: ' p w ',
        query_auth_token: 't=1',
        headers: { 'X-C': 'c', 'X-A': 'a', 'X-B': 'b' },
      }),
    ]);
  });

  it.each([
    ['--password-file', '', 'expected one line'],
    ['--password-file', 'a\nb\n', 'expected one line'],
    ['--query-token-file', 'a b', 'expected a part of a URL'],
    ['--header-file', 'X-A', 'expected NAME: VALUE'],
    ['--header-file', 'Host: a', 'Host is set by the streamer itself'],
  ])('are refused with the name of the option and without the secret: %s %j', async (option, text, reason) => {
    const { run, write } = makeCli();
    const file = write('secret', text);
    await expect(
      run(...add, ...(option === '--password-file' ? [] : ['--password', 'x']), option, file),
    ).rejects.toThrow(`${option} ${file}: ${reason}`);
  });

  it('are given once', async () => {
    const { run, write } = makeCli();
    const file = write('secret', 'x');
    for (const option of ['--password', '--proxy-password', '--query-token'])
      await expect(run('importers', 'add', option, 'x', `${option}-file`, file)).rejects.toThrow('cannot be used with');
  });

  it('are not both in standard input', async () => {
    const both = ['--password-file', '-', '--query-token-file', '-'];
    await expect(makeCli().run(...add, ...both)).rejects.toThrow('standard input has one secret: give - only once');
  });

  it.each([
    ['credential:../x', 'expected credential:NAME'],
    ['credential:.x', 'expected credential:NAME'],
    ['credential:', 'expected credential:NAME'],
    ['credential:x', 'CREDENTIALS_DIRECTORY is not set'],
    ['/nowhere/x', 'no such file'],
  ])('are read from no other place: %s', async (name, reason) => {
    await expect(makeCli().run(...add, '--password-file', name)).rejects.toThrow(reason);
  });
});
