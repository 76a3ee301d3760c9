import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { receive } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { anEntry } from '../support/pipeline.ts';
import { lineOf, processes } from '../support/processes.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const SCRIPT = fileURLToPath(new URL('../support/crash/serve-until-noted.ts', import.meta.url));

const small = someBytes(10_000);
const large = someBytes(3_000_000);
const checksumOf = (bytes: Uint8Array) => ({ algorithm: 'sha256', value: digestOf(bytes) }) as const;

describe('a client that has its last byte', () => {
  const bodies = [
    { what: 'small', content: small, checksum: checksumOf(small), length: true },
    { what: 'large', content: large, checksum: checksumOf(large), length: true },
    { what: 'large, of unknown length', content: large, checksum: checksumOf(large), length: false },
    { what: 'large, without a checksum', content: large, length: true },
    { what: 'small, without a checksum, of unknown length', content: small, length: false },
  ];
  const cases = bodies.flatMap((body) => ['append', 'turn'].map((moment) => ({ ...body, moment })));

  it.each(cases)(
    'can rely on a stored save request: $what, at the $moment',
    async ({ content, checksum, length, moment }) => {
      const feed = await startFeed((_, response) => {
        response.writeHead(200, length ? { 'Content-Length': content.length } : {});
        response.end(content);
      });
      const entry = anEntry({ url: `${feed.url}/a.rpm`, checksum });
      const server = start(process.execPath, [SCRIPT, JSON.stringify(entry), moment]);
      const port = await lineOf(server, () => true);
      // Killed immediately before it is stored: the client must not have received a complete
      // response.
      await expect(receive(`http://127.0.0.1:${port}${entry.path}`)).rejects.toThrow();
      expect(await server.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    },
  );

  it('can do so if several writes of one turn complete the response', async () => {
    const entry = anEntry({ url: 'http://localhost/a.rpm', checksum: undefined });
    const server = start(process.execPath, [SCRIPT, JSON.stringify(entry), 'turn', 'at-once']);
    const port = await lineOf(server, () => true);
    await expect(receive(`http://127.0.0.1:${port}${entry.path}`)).rejects.toThrow();
    expect(await server.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  });
});
