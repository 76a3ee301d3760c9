import { type Command, Option } from 'commander';
import { firstValueFrom } from 'rxjs';
import type { Catalog } from '../../pipelines/model/index.ts';
import { clientFiles } from '../catalog/client-files/client-files.ts';
import { nameOf } from '../catalog/client-files/described.ts';
import { withCatalog } from './catalog-context.ts';
import { cliContext } from './context.ts';
import { toPath } from './importer-options.ts';
import { loadedFor, withSettings } from './settings.ts';

/** Where a client keeps the file. */
const FILES = {
  repo: { of: 'dnf', folder: '/etc/yum.repos.d' },
  sources: { of: 'apt', folder: '/etc/apt/sources.list.d' },
} as const;

const FORMATS = { dnf: 'yum', apt: 'deb', any: 'yum or deb' } as const;

/** `client`: what a machine needs to become a client, as the daemon serves it. */
export const addClient = (command: Command): void => {
  withSettings(command, ['stateDir', 'catalog', 'publicUrl'])
    .argument('<prefix>', 'prefix of a repository, or of several', toPath)
    .addOption(new Option('--for <tool>', 'default: those that have repositories there').choices(['dnf', 'apt']))
    .action(async (prefix: string, options: { readonly for?: 'dnf' | 'apt' }, of: Command) => {
      const { publicUrl } = loadedFor(of).settings;
      if (publicUrl === '')
        throw new Error(
          'client: expected the URL of the streamer, or of the proxy in front, as --public-url or as the setting public_url',
        );
      const files = await withCatalog(cliContext, of, (catalog) =>
        filesOf(clientFiles(catalog), publicUrl, prefix, options.for),
      );
      if (files.length === 0)
        throw new Error(
          `${prefix}: no ${FORMATS[options.for ?? 'any']} repository was imported or is followed there; see \`catalog list\``,
        );
      for (const { path, folder, text } of files) {
        process.stderr.write(
          `# curl -fo ${folder}/${nameOf({ prefix })}${path.slice(path.lastIndexOf('.'))} '${publicUrl}${path}'\n`,
        );
        process.stdout.write(text);
      }
    });
};

const filesOf = async (
  made: NonNullable<Catalog['made']>,
  publicUrl: string,
  prefix: string,
  tool: 'dnf' | 'apt' | undefined,
) => {
  const files = [];
  for (const [kind, { folder, of }] of Object.entries(FILES)) {
    if (tool !== undefined && tool !== of) continue;
    const path = `${prefix.replace(/\/+$/, '')}/.${kind}`;
    const file = await firstValueFrom(
      made(path, () => `${publicUrl}${path}`),
      { defaultValue: undefined },
    );
    if (file) files.push({ path, folder, text: file.text });
  }
  return files;
};
