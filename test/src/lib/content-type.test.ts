import { expect, it } from '@jest/globals';
import { contentType } from '../../../src/lib/content-type.ts';

it.each([
  ['/a/bear-4.1-1.noarch.rpm', 'application/x-rpm'],
  ['/a/bear-4.0_4.1.noarch.drpm', 'application/x-rpm'],
  ['hello_1.0_amd64.deb', 'application/vnd.debian.binary-package'],
  ['hello_1.0_amd64.udeb', 'application/vnd.debian.binary-package'],
  ['repomd.xml', 'text/xml'],
  ['comps-Server.x86_64.XML', 'text/xml'],
  ['primary.xml.gz', 'application/gzip'],
  ['Packages.xz', 'application/x-xz'],
  ['primary.xml.zst', 'application/zstd'],
  ['Packages.zstd', 'application/zstd'],
  ['primary.sqlite.bz2', 'application/x-bzip2'],
  ['boot.iso', 'application/x-iso9660-image'],
  ['repomd.xml.asc', 'application/pgp-signature'],
  ['UPPER.RPM', 'application/x-rpm'],
  ['Packages', 'application/octet-stream'],
  ['name.nobody-knows', 'application/octet-stream'],
])('%s is %s', (path, type) => {
  expect(contentType(path)).toBe(type);
});
