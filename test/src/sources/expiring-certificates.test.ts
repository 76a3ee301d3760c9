import { beforeAll, describe, expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import type { Access, AccessOwner } from '../../../pipelines/model/index.ts';
import { type ExpiringCertificate, watchCertificates } from '../../../src/sources/expiring-certificates.ts';
import { type Authority, createAuthority } from '../../support/authority.ts';
import { anAsk } from '../../support/collect.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2030, 0, 1);

const IMPORTER: AccessOwner = { kind: 'importer', id: '0'.repeat(24) };

describe('certificates that expire', () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await createAuthority('Test CA');
  });
  const client = (name: string, days: number) =>
    authority.client(name, { notBefore: new Date(NOW - 400 * DAY), notAfter: new Date(NOW + days * DAY) });

  const setUp = () => {
    const warnings: ExpiringCertificate[] = [];
    let time = NOW;
    const opened: string[] = [];
    const { open, certificates } = watchCertificates(
      ({ url }) => {
        opened.push(url);
        return () => EMPTY;
      },
      { warn: (warning) => warnings.push(warning), now: () => time },
    );
    return {
      warnings,
      opened,
      certificates,
      use: (access: Access, url = 'https://feed.test/a', owner = IMPORTER) =>
        open({ url, access: { ...access, owner } }, anAsk()),
      pass: (milliseconds: number) => {
        time += milliseconds;
      },
    };
  };

  it('cause a warning once a day, from thirty days before', async () => {
    const { cert: clientCert, key: clientKey } = await client('bear', 30.5);
    const { warnings, use, pass, opened } = setUp();
    use({ clientCert, clientKey });
    expect(warnings).toEqual([]);
    pass(0.5 * DAY);
    for (let times = 0; times < 3; times += 1) use({ clientCert, clientKey });
    expect(warnings).toEqual([
      {
        source: 'feed:feed.test',
        importerId: '0'.repeat(24),
        what: 'client certificate',
        subject: 'CN=bear',
        notAfter: NOW + 30.5 * DAY,
      },
    ]);
    pass(DAY - 1);
    use({ clientCert, clientKey });
    expect(warnings).toHaveLength(1);
    pass(1);
    use({ clientCert, clientKey });
    expect(warnings).toHaveLength(2);
    expect(opened).toHaveLength(6);
  });

  it('still cause a warning after they have expired', async () => {
    const { cert: clientCert, key: clientKey } = await client('late', -1);
    const { warnings, use } = setUp();
    use({ clientCert, clientKey });
    expect(warnings).toMatchObject([{ subject: 'CN=late', notAfter: NOW - DAY }]);
  });

  it('are reported for each certificate in a text, also of the CA, and once for all users', async () => {
    const [one, two, good] = await Promise.all([client('one', 1), client('two', 2), client('good', 100)]);
    const { warnings, use } = setUp();
    const ca = one.cert + good.cert + two.cert;
    use({ ca });
    use({ ca }, 'https://other.test/', { kind: 'alternate', id: 'other' });
    expect(warnings).toMatchObject([
      { what: 'CA certificate', subject: 'CN=one', importerId: '0'.repeat(24) },
      { what: 'CA certificate', subject: 'CN=two' },
    ]);
  });

  it('are listed by source and kind, the first to expire', async () => {
    const [one, two, good] = await Promise.all([client('one', 1), client('two', 2), client('good', 100)]);
    const { certificates, use } = setUp();
    expect(certificates()).toEqual([]);
    use({ ca: good.cert + two.cert, clientCert: one.cert, clientKey: 'x' });
    use({ clientCert: good.cert, clientKey: 'x' }, 'https://other.test/', { kind: 'alternate', id: 'other' });
    const first = { source: 'feed:feed.test', what: 'CA certificate', notAfter: NOW + 2 * DAY };
    const own = { source: 'feed:feed.test', what: 'client certificate', notAfter: NOW + DAY };
    const other = { source: 'alternate:other', what: 'client certificate', notAfter: NOW + 100 * DAY };
    expect(certificates()).toEqual([own, first, other]);
    use({ clientCert: two.cert, clientKey: 'x' });
    expect(certificates()).toEqual([{ ...own, notAfter: NOW + 2 * DAY }, first, other]);
  });

  it('are not reported if they are unused or unreadable', async () => {
    const { cert } = await client('old', -1);
    const { warnings, use, opened } = setUp();
    use({ clientCert: cert, clientKey: 'x' }, 'http://feed.test/a');
    use({ ca: 'nonsense', clientCert: cert.replace(/\n.{64}\n/, '\n'), clientKey: 'x' });
    use({});
    expect(warnings).toEqual([]);
    expect(opened).toHaveLength(3);
  });
});
