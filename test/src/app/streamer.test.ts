import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startDaemon } from '../../../src/app/daemon.ts';
import { type SettingOptions, settingsOf } from '../../../src/app/from-settings.ts';
import { openStreamer } from '../../../src/app/streamer.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const folder = temporaryFolders();
const logger = pino({ level: 'silent' });

/** The files below a folder that this process has open. */
const openBelow = (below: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(join('/proc/self/fd', fd));
      return file.startsWith(below) ? [file.slice(below.length + 1)] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });

const scene = (options: SettingOptions = {}) => {
  const stateDir = folder();
  return { stateDir, settings: settingsOf({ stateDir, contentSourcesDir: folder(), ...options }) };
};

describe('openStreamer', () => {
  it('closes everything that it opened', async () => {
    const { stateDir, settings } = scene();
    const streamer = await openStreamer(settings, logger);
    expect(openBelow(stateDir)).toEqual(expect.arrayContaining(['catalog.db', 'outbox.db']));
    await streamer.close();
    expect(openBelow(stateDir)).toEqual([]);
    await streamer.close();
  });

  it('opens no outbox for a single command', async () => {
    const { stateDir, settings } = scene();
    const streamer = await openStreamer(settings, logger, { delivering: false });
    expect(streamer.outbox).toBeUndefined();
    expect(openBelow(stateDir)).not.toContain('outbox.db');
    await streamer.close();
  });

  it('leaves nothing open if the save target cannot be used, the last thing to be opened', async () => {
    const { stateDir, settings } = scene({ dispatch: 'celery', brokerUrl: 'qpid://localhost' });
    await expect(openStreamer(settings, logger)).rejects.toBeInstanceOf(ConfigError);
    expect(readdirSync(stateDir)).toContain('outbox.db');
    expect(openBelow(stateDir)).toEqual([]);
  });
});

describe('startDaemon', () => {
  it('leaves nothing open if its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { stateDir, settings } = scene({ port, interfaces: '127.0.0.1' });
    await expect(startDaemon(settings, logger)).rejects.toThrow('EADDRINUSE');
    expect(readdirSync(stateDir)).toContain('catalog.db');
    expect(openBelow(stateDir)).toEqual([]);
    await new Promise((resolve) => other.close(resolve));
  });
});
