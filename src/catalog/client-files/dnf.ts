import { type Described, nameOf } from './described.ts';

/**
 * The sections of a `.repo` file for dnf and yum, one for each repository. Where metadata must be
 * signed here, clients check the same signature with the same keys. It covers the checksum of each
 * package, so that the packages need none of their own. Otherwise the client's own rule holds.
 */
export const repoFile = (repositories: readonly Described[]): string =>
  [
    '# For dnf and yum: a file of /etc/yum.repos.d.\n',
    ...repositories.map((repository, index) => {
      const { url, keyring } = repository;
      const earlier = repositories.slice(0, index).filter((one) => nameOf(one) === nameOf(repository)).length;
      // dnf ignores a second section of the same name.
      const name = `${nameOf(repository)}${earlier === 0 ? '' : `-${earlier + 1}`}`;
      const signed = keyring
        ? [
            '# The signed metadata states the checksum of each package.',
            'repo_gpgcheck=1',
            'gpgcheck=0',
            `gpgkey=${url}.key`,
          ]
        : [];
      return `${[`[${name}]`, `name=${name}`, `baseurl=${url}`, 'enabled=1', ...signed].join('\n')}\n`;
    }),
  ].join('\n');
