import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import {
  createPoolRegistry,
  type PoolRegistry,
  type PoolSettings,
} from '../../../../src/sources/feed/pool-registry.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { until } from '../../../support/until.ts';

describe('pools of connections', () => {
  let made: Certificates;
  beforeAll(async () => {
    made = await createCertificates();
  });
  const all: PoolRegistry[] = [];
  afterEach(() => Promise.all(all.splice(0).map((registry) => registry.close())));
  const create = (more?: Partial<PoolSettings>): PoolRegistry => {
    const registry = createPoolRegistry({ connectTimeout: 1000, connections: 2, idleTimeout: 1_000_000, ...more });
    all.push(registry);
    return registry;
  };
  const url = (text = 'https://feed.test/a') => new URL(text);

  it('are shared for the same origin and connection parameters', () => {
    const registry = create();
    const access = (): Access => ({
      ca: made.authority.cert,
      clientCert: made.client.cert,
      clientKey: made.client.key,
    });
    const pool = registry.of(url(), access());
    expect(registry.of(url('https://feed.test:443/b?c'), access())).toBe(pool);
    // These belong to each request.
    expect(
      registry.of(url(), { ...access(), basicAuth: { username: 'me', password: 'x' }, headers: [['a', 'b']] }),
    ).toBe(pool);
    expect(registry.size).toBe(1);
  });

  it('differ if one of these differs', () => {
    const registry = create();
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
      ...accesses.map((access) => registry.of(url(), access)),
      registry.of(url('https://feed.test:444'), {}),
      registry.of(url('http://feed.test'), {}),
    ];
    expect(new Set(found).size).toBe(found.length);
    expect(registry.of(url(), { verifyServer: true })).toBe(found[0]);
  });

  it('are removed once they were unused for a while', async () => {
    const registry = create({ idleTimeout: 20 });
    registry.of(url(), {});
    await until(() => registry.size === 0);
  });

  it('are kept while they are used, and removed after', async () => {
    const registry = create({ idleTimeout: 20 });
    const pool = registry.of(url(), {});
    let release = () => {};
    pool.take((_, giveBack) => {
      release = giveBack;
    });
    registry.of(url('https://unused.test'), {});
    await until(() => registry.size === 1);
    expect(registry.of(url(), {})).toBe(pool);
    release();
    await until(() => registry.size === 0);
    expect(registry.of(url(), {})).not.toBe(pool);
  });
});
