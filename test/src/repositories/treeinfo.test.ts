import { expect, it } from '@jest/globals';
import { yum } from '../../../src/repositories/yum.ts';
import { readFiles, sha256 } from '../../support/importing.ts';

const aPackage = (name: string) => `<package type="rpm"><name>${name}</name><arch>noarch</arch>
  <version epoch="0" ver="1" rel="1"/><checksum type="sha256" pkgid="YES">${sha256(name)}</checksum>
  <location href="${name}.rpm"/></package>`;

const aRepository = (folder: string, name: string): Record<string, string> => {
  const primary = `<metadata packages="1">${aPackage(name)}</metadata>`;
  return {
    [`${folder}repodata/repomd.xml`]: `<repomd><data type="primary"><checksum type="sha256">${sha256(primary)}</checksum>
      <location href="repodata/primary.xml"/></data></repomd>`,
    [`${folder}repodata/primary.xml`]: primary,
  };
};

const TREE = `[general]
family = Zoo

[checksums]
images/boot.iso = sha256:${'b'.repeat(64)}
images/pxeboot/vmlinuz = sha256:${'c'.repeat(64)}
repodata/repomd.xml = sha256:${'d'.repeat(64)}

[images-x86_64]
kernel = images/pxeboot/vmlinuz
initrd = images/pxeboot/initrd.img

[stage2]
mainimage = images/install.img

[addon-Bears]
repository = addons/Bears

[variant-Zoo]
repository = .

[variant-Beside]
repository = ../../Beside/os
`;
const EXTRA = JSON.stringify({
  data: [{ file: 'EULA', size: 7, checksums: { md5: '1'.repeat(32), sha256: 'e'.repeat(64) } }],
});

const found = async (contents: Record<string, string>) => {
  const { items, missing } = await readFiles(yum, contents);
  return { items: items.map(({ path, checksum }) => `${path} ${checksum?.value.slice(0, 4) ?? '-'}`), missing };
};

it('a tree has its images, its licences, and the repositories inside it', async () => {
  const base = aRepository('', 'bear');
  const addOn = aRepository('addons/Bears/', 'cub');
  const digest = (text: string | undefined) => sha256(text ?? '').slice(0, 4);
  const { items, missing } = await found({
    ...base,
    ...addOn,
    '.treeinfo': TREE,
    'extra_files.json': EXTRA,
    '.discinfo': 'disc',
  });
  expect(missing).toEqual([]);
  expect(items).toEqual([
    `repodata/repomd.xml ${digest(base['repodata/repomd.xml'])}`,
    `repodata/primary.xml ${digest(base['repodata/primary.xml'])}`,
    `bear.rpm ${digest('bear')}`,
    `addons/Bears/repodata/repomd.xml ${digest(addOn['addons/Bears/repodata/repomd.xml'])}`,
    `addons/Bears/repodata/primary.xml ${digest(addOn['addons/Bears/repodata/primary.xml'])}`,
    `addons/Bears/cub.rpm ${digest('cub')}`,
    `.treeinfo ${digest(TREE)}`,
    'images/boot.iso bbbb',
    'images/pxeboot/vmlinuz cccc',
    'images/pxeboot/initrd.img -',
    'images/install.img -',
    `.discinfo ${digest('disc')}`,
    `extra_files.json ${digest(EXTRA)}`,
    'EULA eeee',
  ]);
});

it('a repository inside a tree that is listed but missing is reported', async () => {
  const { missing } = await found({ ...aRepository('', 'bear'), treeinfo: TREE });
  expect(missing).toEqual(['addons/Bears/repodata/repomd.xml']);
});
