import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, CONFIG, MAKE_USER, type Order, run } from './tree.ts';

const SYSTEMD = 'if [ -d /run/systemd/system ]; then';

/** Scripts of the package (Debian Policy, chapter 6). */
const SCRIPTS: Readonly<Record<string, string>> = {
  postinst: `if [ "$1" = configure ]; then
${MAKE_USER}
  if [ -z "$2" ] && command -v deb-systemd-helper >/dev/null; then deb-systemd-helper enable pulp-streamer.service >/dev/null || true; fi
  ${SYSTEMD}
    systemctl daemon-reload
    if [ -z "$2" ]; then deb-systemd-invoke start pulp-streamer.service || true
    else deb-systemd-invoke try-restart pulp-streamer.service || true; fi
  fi
fi`,
  prerm: `if [ "$1" = remove ]; then
  ${SYSTEMD} deb-systemd-invoke stop pulp-streamer.socket pulp-streamer-admin.socket pulp-streamer.service || true; fi
fi`,
  postrm: `if [ "$1" = remove ]; then
  ${SYSTEMD} systemctl daemon-reload; fi
fi
if [ "$1" = purge ]; then
  if command -v deb-systemd-helper >/dev/null; then deb-systemd-helper purge pulp-streamer.service >/dev/null || true; fi
  rm -rf /var/lib/pulp-streamer
fi`,
};

/** Makes the .deb with Debian's own program; returns its path. */
export const buildDeb = ({ tree, out, version, uncompressed }: Order): string => {
  const architecture = ARCHITECTURES[process.arch]?.deb;
  if (!architecture) throw new Error(`no packages are made for ${process.arch}`);
  const control = join(tree, 'DEBIAN');
  mkdirSync(control, { mode: 0o755 });
  writeFileSync(
    join(control, 'control'),
    `Package: pulp-streamer
Version: ${version}
Architecture: ${architecture}
Maintainer: the maintainers of pulp-streamer <maintainers@pulp-streamer.invalid>
Section: net
Priority: optional
Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 8), passwd
Recommends: ca-certificates, systemd
Suggests: squid | varnish | nginx, gpgv, openssl
Description: streaming origin behind caching proxies
 Fetches content at the moment a client asks for it: verified, back-pressured,
 resumable. The drop-in successor of Pulp 2's pulp_streamer. Brings its own Node.
`,
  );
  writeFileSync(join(control, 'conffiles'), `${CONFIG}\n`);
  for (const [name, script] of Object.entries(SCRIPTS))
    writeFileSync(join(control, name), `#!/bin/sh\nset -e\n${script}\n`, { mode: 0o755 });
  const file = join(out, `pulp-streamer_${version}_${architecture}.deb`);
  run('dpkg-deb', ['--root-owner-group', uncompressed ? '-Znone' : '-Zgzip', '--build', tree, file]);
  return file;
};
