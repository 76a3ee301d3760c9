import type { IniFile } from './ini-file.ts';
import { PULP_KEYS, SHARED_SECTIONS } from './pulp.ts';
import { SETTINGS, type Settings, type Spelling, spellingsOf } from './schema.ts';

type Deciding = Pick<
  Settings,
  | 'catalogType'
  | 'mongodbUrl'
  | 'dispatch'
  | 'deferredNudge'
  | 'signedUrls'
  | 'adminPort'
  | 'saveUrl'
  | 'saveLimit'
  | 'warm'
  | 'proxy'
>;

/** Why the other settings keep this one from having an effect; `undefined` if they do not. */
const idleBecause = (name: string, settings: Deciding): string | undefined => {
  const { catalogType, mongodbUrl, dispatch, deferredNudge, signedUrls, adminPort, saveUrl, saveLimit, warm, proxy } =
    settings;
  const sendsTasks = dispatch === 'celery' || (dispatch === 'deferred' && deferredNudge);
  if (name === 'sharedCatalogUrl' && catalogType !== 'shared') return `catalog_type is ${catalogType}`;
  if (name === 'keepRevisions' && catalogType === 'mongodb') return `catalog_type is ${catalogType}`;
  if (/^(database|storageDir)/.test(name) && catalogType !== 'mongodb') return `catalog_type is ${catalogType}`;
  if (/^database(?!Name)/.test(name) && mongodbUrl !== '') return 'mongodb_url counts instead';
  if (/^warm(Bytes|Hours|Within)$/.test(name) && !warm) return 'warm is no';
  if (
    /^(save(Dir|Limit|Url|Endpoint|Region|PathStyle|AccessKey|SecretKey|Ca)|checkCopies|scrubRate|shareCopies|warmRate)$/.test(
      name,
    ) &&
    dispatch !== 'save'
  )
    return `no copies are kept (dispatch is ${dispatch})`;
  if (/^(saveDir|checkCopies|shareCopies)$/.test(name) && saveUrl !== '') return 'copies are in save_url';
  if (name === 'saveLimit' && saveUrl !== '' && typeof saveLimit !== 'number')
    return 'save_url has no size that it could be a percentage of; expected a number of bytes';
  if (/^save(Endpoint|Region|PathStyle|AccessKey|SecretKey|Ca)$/.test(name) && saveUrl === '')
    return 'save_url is empty';
  if (/^broker/.test(name) && !sendsTasks) return `no tasks are sent (dispatch is ${dispatch})`;
  if (/^(admin(Hosts|Interfaces)|showClients)$/.test(name) && adminPort === 0) return 'admin_port is 0';
  if (/^(proxy(Hosts|Connect|Clients)|followHosts)$/.test(name) && !proxy) return 'proxy is no';
  if (name === 'rsaPub' && signedUrls === 'off') return 'signed_urls is off';
  return undefined;
};

/**
 * A line for each value in the files that has no effect: it is Pulp's alone, or another setting
 * rules it out.
 */
export const withoutEffect = (files: readonly IniFile[], settings: Deciding): readonly string[] => {
  const spelled = Object.entries(SETTINGS).flatMap(([name, setting]) =>
    spellingsOf(name, setting).map((spelling) => ({ ...spelling, name })),
  );
  const reasonFor = ({ section, key }: Spelling): string | undefined => {
    const is = (other: Spelling) => other.section === section && other.key === key;
    const found = spelled.find(is);
    if (found) return idleBecause(found.name, settings);
    // Other keys in [lazy] look like misspelt settings, and have a warning already.
    return section === 'lazy' && !PULP_KEYS.some(is) ? undefined : SHARED_SECTIONS.get(section);
  };
  return files.flatMap(({ file, sections }) =>
    [...sections].flatMap(([section, values]) =>
      [...values].flatMap(([key, { line }]) => {
        const reason = reasonFor({ section, key });
        return reason === undefined ? [] : [`${file}:${line}: [${section}] ${key} has no effect here: ${reason}`];
      }),
    ),
  );
};
