import { afterEach, describe, expect, it } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { ask, askWhole } from '../support/clients.ts';
import { someBytes } from '../support/collect.ts';
import { closedPort, flood, startFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { startWireSite } from '../support/wire.ts';

const folder = temporaryFolders();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const MIB = 1024 * 1024;

/** A daemon that is measured, and a feed that sends these contents to all paths. */
const startMeasured = async (content: Buffer, options: SettingOptions = {}) => {
  const { listener } = flood(content);
  const feed = await startFeed(listener);
  const [adminPort = 0] = await freePorts(1);
  const site = await startWireSite(folder(), { adminPort, ...options });
  closing.push(feed.close, site.daemon.stop);
  const figure = async (name: string): Promise<number | undefined> => {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`pulp_streamer_${name} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  const becomes = (name: string, value: number) => until(async () => (await figure(name)) === value);
  return { ...site, feed, figure, becomes, url: `http://127.0.0.1:${site.daemon.addresses[0]?.port}` };
};

describe('the metrics of a daemon', () => {
  it('show a client that reads nothing: its connection, its transfer, and that its source is paused', async () => {
    const { url, list, feed, figure, becomes } = await startMeasured(someBytes(64 * MIB), {
      ...{ dispatch: 'none', spillLimit: 0 },
    });
    list('/a', [`${feed.url}/a`]);
    const places = `feed_connections{origin="${feed.url}",state="busy"}`;
    expect(await figure('transfers')).toBe(0);
    expect(await figure(places)).toBeUndefined();
    const response = await ask(`${url}/a`);
    await becomes('streams_paused', 1);
    expect(await figure('transfers')).toBe(1);
    expect(await figure('clients')).toBe(1);
    expect(await figure('client_connections')).toBe(1);
    expect(await figure(places)).toBe(1);
    expect(await figure('buffer_bytes{state="lent"}')).toBeGreaterThan(0);
    response.destroy();
    await becomes('transfers', 0);
    await becomes(places, 0);
    expect(await figure('streams_paused')).toBe(0);
    expect(await figure('requests_total{outcome="left",status="499"}')).toBe(1);
    expect(await figure('request_pauses_total')).toBeGreaterThan(0);
  });

  it('show bytes that wait on disk for a client', async () => {
    const { url, list, feed, figure, becomes } = await startMeasured(someBytes(64 * MIB), { dispatch: 'none' });
    list('/a', [`${feed.url}/a`]);
    const response = await ask(`${url}/a`);
    await until(async () => ((await figure('spilled_bytes')) ?? 0) > 0);
    response.destroy();
    await becomes('spilled_bytes', 0);
  });

  it('show the bytes that came from the feed, beside those that clients got', async () => {
    const { url, list, feed, figure, becomes } = await startMeasured(someBytes(3 * MIB));
    list('/a', [`${feed.url}/a`]);
    await askWhole(`${url}/a`);
    await becomes('saves_total{result="delivered"}', 1);
    await askWhole(`${url}/a`);
    expect(await figure('fetched_bytes_total{kind="feed"}')).toBe(3 * MIB);
    expect(await figure('fetched_bytes_total{kind="alternate"}')).toBe(0);
    expect(await figure('fetched_bytes_total{kind="metadata"}')).toBe(0);
    const served = await Promise.all(['feed', 'saved'].map((kind) => figure(`response_bytes_total{kind="${kind}"}`)));
    expect(served).toEqual([3 * MIB, 3 * MIB]);
  });

  it('show the size of copies, and those that made room', async () => {
    const { url, list, feed, figure, becomes } = await startMeasured(someBytes(3 * MIB), { saveLimit: '8M' });
    expect(await figure('copies_limit_bytes')).toBe(8_000_000);
    for (const name of ['a', 'b', 'c']) {
      list(`/${name}`, [`${feed.url}/${name}`]);
      await askWhole(`${url}/${name}`);
    }
    await becomes('saves_total{result="delivered"}', 3);
    await becomes('copies_evicted_total', 1);
    expect(await figure('copies_evicted_bytes_total')).toBe(3 * MIB);
    expect(await figure('copies_bytes')).toBe(6 * MIB);
    await becomes('saves_pending', 0);
  });

  it('show a source that cools down, until it has recovered', async () => {
    const { url, list, figure } = await startMeasured(someBytes(10), { cooldown: 600, attempts: 1 });
    const host = `127.0.0.1:${await closedPort()}`;
    list('/a', [`http://${host}/a`]);
    expect((await askWhole(`${url}/a`)).status).toBe(502);
    expect(await figure('sources_cooling')).toBe(1);
    expect(await figure(`source_failures{source="feed:${host}"}`)).toBe(1);
    expect(await figure(`source_cooldown_seconds{source="feed:${host}"}`)).toBeGreaterThan(0);
    expect(await figure('source_attempts_total{kind="feed",outcome="failed",code="CONNECT_FAILED"}')).toBe(1);
    expect(await figure('source_state_changes_total{change="failed"}')).toBe(1);
  });

  it('are absent without an admin port', async () => {
    const { daemon } = await startWireSite(folder(), { adminPort: 0 });
    closing.push(daemon.stop);
    // Only the log and the report observe.
    expect(Reflect.get(daemon.finished, 'observers')).toHaveLength(2);
  });
});
