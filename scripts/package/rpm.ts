import { globSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ARCHITECTURES, CONFIG, MAKE_USER, type Order, run } from './tree.ts';

const SYSTEMD = 'if [ -d /run/systemd/system ]; then';

const spec = ({ tree, version, uncompressed }: Order, architecture: string): string => `
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _binary_payload ${uncompressed ? 'w0.gzdio' : 'w6.gzdio'}
Name: pulp-streamer
Version: ${version}
Release: 1
Summary: Streaming origin behind caching proxies
License: Apache-2.0
BuildArch: ${architecture}
AutoReqProv: no
Requires: glibc >= 2.28, libstdc++, libgcc, shadow-utils
Recommends: ca-certificates, systemd

%description
Fetches content at the moment a client asks for it: verified, back-pressured,
resumable. The drop-in successor of Pulp 2's pulp_streamer. Brings its own Node.

%install
cp -al ${tree}/etc ${tree}/usr %{buildroot}/

%files
%defattr(-,root,root)
%dir /etc/pulp-streamer
%attr(0640,root,root) %config(noreplace) ${CONFIG}
/usr/bin/pulp-streamer
/usr/lib/pulp-streamer
/usr/lib/systemd/system/pulp-streamer*
/usr/lib/sysusers.d/pulp-streamer.conf
/usr/share/doc/pulp-streamer
/usr/share/bash-completion/completions/pulp-streamer
/usr/share/zsh/site-functions/_pulp-streamer
/usr/share/man/man1/pulp-streamer.1.gz

%post
${MAKE_USER}
${SYSTEMD}
  systemctl daemon-reload
  if [ "$1" = 1 ]; then systemctl preset pulp-streamer.service || :; fi
fi

%preun
if [ "$1" = 0 ]; then
  ${SYSTEMD} systemctl disable --now pulp-streamer.socket pulp-streamer-admin.socket pulp-streamer.service || :; fi
fi

%postun
${SYSTEMD}
  systemctl daemon-reload
  if [ "$1" -ge 1 ]; then systemctl try-restart pulp-streamer.service || :; fi
fi
`;

/** Makes the .rpm with rpmbuild; returns its path. */
export const buildRpm = (order: Order): string => {
  const architecture = ARCHITECTURES[process.arch]?.rpm;
  if (!architecture) throw new Error(`no packages are made for ${process.arch}`);
  const { work, out } = order;
  const top = join(work, 'rpm');
  rmSync(join(order.tree, 'DEBIAN'), { recursive: true, force: true });
  writeFileSync(join(work, 'pulp-streamer.spec'), spec(order, architecture));
  run(
    'rpmbuild',
    ['-bb', '--quiet', '--define', `_topdir ${top}`, '--target', architecture, join(work, 'pulp-streamer.spec')],
    {
      ...process.env,
      // Locks and the database of the user stay as they are.
      HOME: work,
    },
  );
  const [made = ''] = globSync(join(top, 'RPMS/**/*.rpm'));
  const file = join(out, basename(made));
  run('mv', [made, file]);
  return file;
};
