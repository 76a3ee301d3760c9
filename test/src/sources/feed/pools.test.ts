import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { createPools, type PoolSettings, type Pools } from '../../../../src/sources/feed/pools.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { until } from '../../../support/until.ts';

describe('pools of connections', () => {
  let made: Certificates;
  beforeAll(async () => {
    made = await createCertificates();
  });
  const all: Pools[] = [];
  afterEach(() => Promise.all(all.splice(0).map((pools) => pools.close())));
  const create = (more?: Partial<PoolSettings>): Pools => {
    const pools = createPools({ connectTimeout: 1000, connections: 2, idleTimeout: 1_000_000, ...more });
    all.push(pools);
    return pools;
  };
  const url = (text = 'https://feed.test/a') => new URL(text);

  it('are one for an origin and what connections are made of', () => {
    const pools = create();
    const access = (): Access => ({
      ca: made.authority.cert,
      clientCert: made.client.cert,
      clientKey: made.client.key,
    });
    const pool = pools.of(url(), access());
    expect(pools.of(url('https://feed.test:443/b?c'), access())).toBe(pool);
    // These go with each request.
    expect(pools.of(url(), { ...access(), basicAuth: { username: 'me', password: 'x' }, headers: [['a', 'b']] })).toBe(
      pool,
    );
    expect(pools.size).toBe(1);
  });

  it('are others where anything of that differs', () => {
    const pools = create();
    const accesses: readonly Access[] = [
      {},
      { ca: made.authority.cert },
      { ca: made.stranger.cert },
      { clientCert: made.client.cert, clientKey: made.client.key },
      { clientCert: made.otherClient.cert, clientKey: made.otherClient.key },
      { verifyServer: false },
      { connectTimeout: 5 },
      { proxy: { url: 'http://proxy.test' } },
      { proxy: { url: 'http://proxy.test', username: 'me', password: 'x' } },
    ];
    const found = [
      ...accesses.map((access) => pools.of(url(), access)),
      pools.of(url('https://feed.test:444'), {}),
      pools.of(url('http://feed.test'), {}),
    ];
    expect(new Set(found).size).toBe(found.length);
    expect(pools.of(url(), { verifyServer: true })).toBe(found[0]);
  });

  it('are forgotten once nobody has used them for a while', async () => {
    const pools = create({ idleTimeout: 20 });
    pools.of(url(), {});
    await until(() => pools.size === 0);
  });

  it('are kept while they are used, and forgotten after', async () => {
    const pools = create({ idleTimeout: 20 });
    const pool = pools.of(url(), {});
    let release = () => {};
    pool.take((_, giveBack) => {
      release = giveBack;
    });
    pools.of(url('https://unused.test'), {});
    await until(() => pools.size === 1);
    expect(pools.of(url(), {})).toBe(pool);
    release();
    await until(() => pools.size === 0);
    expect(pools.of(url(), {})).not.toBe(pool);
  });
});
