import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { createCertificates } from '../support/certificates.ts';
import { closedPort, startFeed } from '../support/feeds.ts';
import { ownEnvironment, type Start, succeeded } from '../support/run-process.ts';
import { COMPILED, MAIN, makeSite } from '../support/site.ts';
import type { Mistake } from './mistakes.ts';

export interface Answered {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const HTML = '<!DOCTYPE html>\n<html><head><title>Index of /</title></head><body>Hello</body></html>\n';
const ZOO = join(import.meta.dirname, '../../examples/zoo');

/** Whatever the mistakes name, and a process that makes them. */
export const openScene = async (start: Start, folder: string) => {
  const certificates = await createCertificates();
  const { authority, stranger, server, client, otherClient } = certificates;
  const dir = join(folder, 'files');
  mkdirSync(dir);
  const files: Readonly<Record<string, string>> = {
    text: 'nothing but text\n',
    'ca.pem': authority.cert,
    'stranger.pem': stranger.cert,
    'client.pem': client.cert,
    'client.key': client.key,
    'other.key': otherClient.key,
    'empty-object.jsonl': '{}\n',
    'wrong-type.jsonl':
      '{"path":"/a","importer_id":"i","unit_id":"u","unit_type_id":"rpm","url":"http://a/","revision":"new"}\n',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);

  const closing: (() => unknown)[] = [];
  const feed = async (answer: RequestListener, tls?: Parameters<typeof startFeed>[1]) => {
    const started = await startFeed(answer, tls);
    closing.push(started.close);
    return started;
  };
  const saying =
    (status: number, headers: Record<string, string> = {}, body = ''): RequestListener =>
    (_, response) =>
      response.writeHead(status, headers).end(body);
  const html = saying(200, { 'content-type': 'text/html' }, HTML);
  const demanding = { ...server, ca: authority.cert, requestCert: true };
  const [plain, tls] = [await feed(html), await feed(html, server)];
  const needsCertificate = 'No required SSL certificate was sent';
  const running = makeSite(start, join(folder, 'running'));
  const daemon = await running.serve();
  closing.push(daemon.stop);
  const places: Readonly<Record<string, string>> = {
    running: running.stateDir,
    ...{ dir, zoo: ZOO, html: plain.url, tls: tls.url, closed: String(await closedPort()), taken: String(plain.port) },
    missing: (await feed(saying(404))).url,
    login: (await feed(saying(401, { 'www-authenticate': 'Basic realm="feed"' }))).url,
    refused: (await feed(saying(403))).url,
    broken: (await feed(saying(500))).url,
    empty: (await feed(saying(200))).url,
    expired: (await feed(html, certificates.expired)).url,
    elsewhere: (await feed(html, certificates.elsewhere)).url,
    guarded: (await feed(html, { ...demanding, rejectUnauthorized: true })).url,
    // As nginx does: it accepts the connection, and answers 400.
    guardedText: (await feed(saying(400, {}, needsCertificate), { ...demanding, rejectUnauthorized: false })).url,
    plainByTls: plain.url.replace('http:', 'https:'),
    tlsByPlain: tls.url.replace('https:', 'http:'),
  };
  const inScene = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
  /** The same for every run. */
  const asWritten = (text: string) =>
    Object.entries({ ...places, folder })
      .sort(([, one], [, other]) => other.length - one.length)
      .reduce((said, [name, place]) => said.replaceAll(place, `{${name}}`), text)
      .replaceAll(/\{folder\}\/\d+\.conf/g, '{config}')
      .replaceAll(/This machine has .*/g, 'This machine has {interfaces}');

  let written = 0;
  const configOf = (config: string): string => {
    written += 1;
    const file = join(folder, `${written}.conf`);
    writeFileSync(file, `${config.startsWith('=') ? config.slice(1) : `[streamer]\n${config}`}\n`);
    return file;
  };
  const asked = ({ args, config, env }: Mistake) => {
    const words = inScene(args)
      .split(' ')
      .filter((word) => word !== '');
    const more = config === undefined ? [] : ['--config', configOf(inScene(config))];
    return JSON.stringify({ args: [...words, ...more], env });
  };
  return {
    /** Makes them one after the other, in one process. */
    make: async (mistakes: readonly Mistake[]): Promise<readonly Answered[]> => {
      const { stdout } = await succeeded(
        start(process.execPath, [join(import.meta.dirname, 'commands.mjs'), MAIN], {
          input: `${mistakes.map(asked).join('\n')}\n`,
          env: {
            ...ownEnvironment(),
            NODE_COMPILE_CACHE: COMPILED,
            PULP_STREAMER_STATE_DIR: join(folder, 'state'),
            PULP_STREAMER_CONTENT_SOURCES_DIR: join(folder, 'sources'),
          },
        }),
      );
      return (
        stdout
          .toString()
          .trim()
          .split('\n')
          // The log is written past `process.stdout`.
          .filter((line) => line.startsWith('{"status"'))
          .map((line) => JSON.parse(line))
      );
    },
    asWritten,
    close: async () => void (await Promise.all(closing.map((close) => close()))),
  };
};
