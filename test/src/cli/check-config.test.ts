import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createCertificates } from '../../support/certificates.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { ownEnvironment, processes } from '../../support/processes.ts';
import { MAIN, pulpStreamer } from '../../support/site.ts';

const start = processes();
const newFolder = temporaryFolders();

/** Writes files into a new folder; resolves names in their texts: `{folder}` is that folder. */
const written = (files: Readonly<Record<string, string>>) => {
  const folder = newFolder();
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text.replaceAll('{folder}', folder));
  return {
    folder,
    config: Object.keys(files).flatMap((name) => (/\.conf$/.test(name) ? ['--config', join(folder, name)] : [])),
  };
};

/**
 * Runs a command with these files as its configuration; paths of their folder are shown as
 * `{folder}`.
 */
const run = async (files: Readonly<Record<string, string>>, ...args: string[]) => {
  const { folder, config } = written(files);
  const { status, stdout, stderr } = await pulpStreamer(start, ...args, ...config).ended;
  const shown = (text: string) => text.replaceAll(folder, '{folder}');
  return { status, stdout: shown(stdout.toString()), stderr: shown(stderr) };
};

describe('check-config refuses what serve refuses', () => {
  const CELERY = '[streamer]\ndispatch: celery\nport: 0\nstate_dir: {folder}/state\n';
  const MONGODB = '[streamer]\nport: 0\ndispatch: none\nstate_dir: {folder}/state\n[database]\n';

  it.each<[string, string, string]>([
    [
      'a broker of Qpid',
      `${CELERY}[tasks]\nbroker_url: qpid://u:hunter@h/\n`,
      'broker_url: expected a URL with scheme amqp, pyamqp, librabbitmq, amqps; found qpid',
    ],
    [
      'a login to MongoDB by certificate',
      `${MONGODB}x509_auth: true\n`,
      '{folder}/server.conf:6: [database] x509_auth: expected no: ',
    ],
    [
      'a key for the broker that is not there',
      `${CELERY}[tasks]\nbroker_url: amqps://h/\nkeyfile: {folder}/none\n`,
      'broker_keyfile: {folder}/none: expected a private key without a passphrase, of the certificate (PEM); found no such file',
    ],
    [
      'a key for the broker that is none',
      `${CELERY}[tasks]\nbroker_url: amqps://h/\nkeyfile: {folder}/server.conf\n`,
      'broker_keyfile: {folder}/server.conf: expected a private key without a passphrase, of the certificate (PEM); found something else (',
    ],
    [
      'a key for MongoDB that is a folder',
      `${MONGODB}ssl: true\nssl_certfile: {folder}\n`,
      'database_ssl_certfile: {folder}: expected a certificate (PEM); found a file that cannot be read (it is not a regular file)',
    ],
    [
      'authorities for MongoDB that are none',
      `${MONGODB}ssl: true\nca_path: {folder}/server.conf\n`,
      'database_ca_path: {folder}/server.conf: expected certificates of authorities (PEM); found something else (',
    ],
    ['seeds that MongoDB’s driver does not take', `${MONGODB}seeds: a:b:c\n`, 'the configuration is not valid:'],
    [
      'a key of signed URLs that is none',
      `[streamer]\nsigned_urls: on\n[authentication]\nrsa_pub: {folder}/server.conf\n`,
      'rsa_pub: {folder}/server.conf: expected an RSA public key (PEM); found something else',
    ],
    [
      'a percent sign that Python does not take',
      `${MONGODB}password: hunter%seven\n`,
      '{folder}/server.conf:6: [database] password: expected "%%" for a percent sign',
    ],
    [
      'records without a database',
      '[streamer]\nport: 0\nstate_dir: {folder}/state\ndispatch: deferred\n',
      'dispatch: deferred requires catalog_type = mongodb',
    ],
  ])('%s', async (_, text, message) => {
    const [checked, served] = await Promise.all(
      ['check-config', 'serve'].map((command) => run({ 'server.conf': text }, command)),
    );
    for (const said of [checked, served]) {
      expect(said?.stderr).toContain(message);
      expect(said?.stderr).not.toMatch(/hunter|seven/);
      expect(said?.status).toBe(78);
    }
    expect(checked?.stdout).toBe('');
  });

  it('all at once', async () => {
    const text =
      '[streamer]\ndispatch: celery\nsave_task_args: ["{unit}"]\nsigned_urls: on\nrsa_pub: /nowhere\ninterfaces: lo9\n';
    const { status, stderr } = await run({ 'a.conf': text }, 'check-config');
    expect(stderr.split('\n  ')).toEqual([
      'the configuration is not valid:',
      'rsa_pub: /nowhere: expected an RSA public key (PEM); found no such file',
      expect.stringMatching(/^interfaces: cannot listen: "lo9" is neither /),
      expect.stringMatching(/^save_task_args: unknown placeholder \{unit\}, /),
    ]);
    expect(status).toBe(78);
  });

  it('but not keys that are right', async () => {
    const { client, authority } = await createCertificates();
    const files = {
      'ca.pem': authority.cert,
      'client.pem': `${client.cert}\n${client.key}`,
      'server.conf':
        '[streamer]\ndispatch: celery\n[tasks]\nbroker_url: amqps://h/\ncacert: {folder}/ca.pem\ncertfile: {folder}/client.pem\nkeyfile: {folder}/client.pem\n' +
        '[database]\nssl: true\nca_path: {folder}/ca.pem\nssl_certfile: {folder}/client.pem\n',
    };
    expect(await run(files, 'check-config')).toEqual({ status: 0, stdout: 'the configuration is valid\n', stderr: '' });
  });

  it('nor what the daemon does not look at', async () => {
    const text = '[tasks]\nbroker_url: qpid://h/\nkeyfile: /nowhere\n[database]\nssl_certfile: /nowhere\n';
    const { status, stdout } = await run({ 'server.conf': text }, 'check-config');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'the configuration is valid\n' });
  });
});

describe('check-config', () => {
  it('names settings of Pulp’s that have no effect', async () => {
    const text = '[tasks]\nbroker_url: qpid://h/\n[lazy]\nredirect_host: h\n';
    const { status, stdout, stderr } = await run({ 'server.conf': text }, 'check-config');
    expect(stderr).toBe(
      'note: {folder}/server.conf:2: [tasks] broker_url has no effect here: no tasks are sent (dispatch is save)\n' +
        'note: {folder}/server.conf:4: [lazy] redirect_host has no effect here: it is for Pulp, which redirects clients to the streamer and downloads later what they asked for\n',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'the configuration is valid\n' });
  });

  it('names a mistyped section', async () => {
    const { status, stderr } = await run({ 'pulp-streamer.conf': '[streamr]\nport: 1\n' }, 'check-config');
    expect(stderr).toBe(
      'warning: {folder}/pulp-streamer.conf:1: section [streamr] is not read; the nearest is [streamer]\n',
    );
    expect(status).toBe(0);
  });

  it('--format ini writes a file that loads to what counts: flags, environment and files of Pulp’s', async () => {
    const server = '[database]\npassword: p%%w ;x\nname: %(__name__)s\n';
    const { config, folder } = written({ 'server.conf': server });
    const env = { ...ownEnvironment(), PULP_STREAMER_SAVE_TASK: ' a ; "b"\n[c]\t' };
    const args = ['check-config', '--cache-timeout', '1.5h', '--interfaces', '', ...config];
    const ini = async (...more: string[]) => {
      const { status, stdout } = await start(process.execPath, [MAIN, ...args, '--format', 'ini', ...more], { env })
        .ended;
      expect(status).toBe(0);
      return stdout.toString();
    };
    const values = async (file: string) =>
      JSON.parse((await run({ 'pulp-streamer.conf': file }, 'check-config', '--json')).stdout);

    const json = await start(process.execPath, [MAIN, ...args, '--json'], { env }).ended;
    const valueOnly = (all: Record<string, { value: unknown }>) =>
      Object.fromEntries(Object.entries(all).map(([key, { value }]) => [key, value]));
    const whole = await ini('--secrets');
    expect(valueOnly(await values(whole))).toEqual(valueOnly(JSON.parse(json.stdout.toString())));
    expect(whole).toContain('\ndatabase_name = database\ndatabase_seeds = localhost:27017\n');
    expect(whole).toContain('\ndatabase_password = p%w\n');
    expect(await ini()).toBe(
      whole.replace('database_password = p%w', '# database_password is a secret and left out; --secrets writes it'),
    );
    expect(readFileSync(join(folder, 'server.conf'), 'utf8')).toBe(server);
  });

  it('--migrate makes one file of Pulp’s two, whatever flags and environment contain', async () => {
    const files = {
      'server.conf': '[lazy]\nstreamer_port: 80\n',
      'streamer.conf': '[streamr]\n[streamer]\ninterfaces: lo\n',
    };
    const { status, stdout, stderr } = await run(files, 'check-config', '--migrate', '--port', '1');
    expect(
      stdout,
    ).toBe(`# Made of {folder}/server.conf and {folder}/streamer.conf by pulp-streamer check-config --migrate
[streamer]

# port was [lazy] streamer_port ({folder}/server.conf:2)
port = 80

interfaces = lo

# redirect_path follows from {folder}/server.conf: section [lazy]
redirect_path = /streamer/
`);
    expect(stderr).toBe(
      'warning: {folder}/streamer.conf:1: section [streamr] is not read; the nearest is [streamer]\n',
    );
    expect(status).toBe(0);
  });

  it('--migrate reports that nothing has to be migrated', async () => {
    const { status, stdout, stderr } = await run({ 'server.conf': '# nothing\n' }, 'check-config', '--migrate');
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'error: there is nothing to migrate: no section in {folder}/server.conf\n',
    });
  });

  it('--deep lists what it tried, and fails if something does', async () => {
    const text =
      '[streamer]\nport: 0\ninterfaces: 127.0.0.1\nstate_dir: {folder}/state\nsave_dir: {folder}/a.conf/saved\ncontent_sources_dir: {folder}\n';
    const { status, stdout, stderr } = await run({ 'a.conf': text }, 'check-config', '--deep');
    expect(stdout.split('\n')).toEqual([
      'the configuration is valid',
      'ok    port of any number on 127.0.0.1',
      'ok    folder {folder}/state, to write: not there yet, can be made',
      'FAIL  folder {folder}/a.conf/saved, to write: {folder}/a.conf is not a folder',
      'ok    folder {folder}, to read',
      'ok    catalog {folder}/state/catalog.db: does not exist yet; it is created on first use',
      'FAIL  alternate sources: {folder}/a.conf:2: [streamer] enabled: is missing; expected yes or no; the source is left out',
      expect.stringMatching(/^FAIL {2}alternate sources: .*\[streamer\] type: is missing/),
      expect.stringMatching(/^FAIL {2}alternate sources: .*\[streamer\] base_url: is missing/),
      '',
    ]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'error: 4 of 8 trials failed\n' });
  });

  it('--deep tries nothing if the configuration is refused', async () => {
    const { status, stdout } = await run({ 'a.conf': '[streamer]\nport: many\n' }, 'check-config', '--deep');
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
  });

  it('--deep ends well where everything does', async () => {
    const { folder, config } = written({
      'a.conf':
        '[streamer]\nport: 0\ninterfaces: 127.0.0.1\nstate_dir: {folder}/state\ncontent_sources_dir: {folder}/conf.d\n',
    });
    mkdirSync(join(folder, 'conf.d'));
    const { status, stderr } = await pulpStreamer(start, 'check-config', '--deep', ...config).ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
