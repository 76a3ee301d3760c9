import { afterEach } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { digestOf, someBytes } from './collect.ts';
import { startHalves } from './halves.ts';
import { freePorts } from './ports.ts';
import { closedFeeds } from './site-feeds.ts';
import { temporaryFolders } from './temporary.ts';
import { startWireSite, type WireSite } from './wire.ts';

/** Larger than all buffers between a feed and a client that does not read. */
const SIZE = 24 << 20;

/** Daemons with a live page, which are stopped after each test. */
export const liveSites = () => {
  const startFeed = closedFeeds();
  const folder = temporaryFolders();
  let site: WireSite | undefined;
  afterEach(() => site?.daemon.stop());

  /** A daemon whose first feed holds and cuts at command; the second one is whole. */
  return async (options: SettingOptions = {}) => {
    const [adminPort = 0] = await freePorts(1);
    const started = await startWireSite(folder(), {
      ...{ adminPort, finishBelow: 0, retryWait: 0.01, attemptsPerCandidate: 1 },
      ...options,
    });
    site = started;
    const [dying, whole] = [await startHalves(startFeed), await startHalves(startFeed)];
    const url = `http://127.0.0.1:${started.daemon.addresses[0]?.port}`;
    const body = someBytes(SIZE);
    const offer = (path: string) => {
      for (const feed of [dying, whole])
        feed.put(path, { bytes: body, framing: 'length', ranges: true, fields: { ETag: '"1"' } });
      started.list(path, [dying.url + path, whole.url + path], {
        size: SIZE,
        checksum: { algorithm: 'sha256', value: digestOf(body) },
      });
    };
    return { site: started, admin: `http://localhost:${adminPort}/`, url, dying, whole, body, offer };
  };
};

export const rowOf = (page: Page, name: string) => page.getByRole('link', { name: new RegExp(name) });

/** Resolves once an element's text fits. */
export const shows = (page: Page, selector: string, text: RegExp) =>
  page.locator(selector).filter({ hasText: text }).first().waitFor();
