import type { IniFile } from './ini-file.ts';
import { PULP_KEYS, SHARED_SECTIONS } from './pulp.ts';
import { SETTINGS, type Settings, type Spelling, spellingsOf } from './schema.ts';

type Deciding = Pick<Settings, 'catalogType' | 'mongodbUrl' | 'dispatch' | 'deferredNudge' | 'signedUrls'>;

/** Why a setting does not count with others as they are; `undefined` if it does. */
const idleBecause = (name: string, settings: Deciding): string | undefined => {
  const { catalogType, mongodbUrl, dispatch, deferredNudge, signedUrls } = settings;
  const sendsTasks = dispatch === 'celery' || (dispatch === 'deferred' && deferredNudge);
  if (/^(database|storageDir)/.test(name) && catalogType !== 'mongodb') return `catalog_type is ${catalogType}`;
  if (/^database(?!Name)/.test(name) && mongodbUrl !== '') return 'mongodb_url counts instead';
  if (/^broker/.test(name) && !sendsTasks) return `no tasks are sent (dispatch is ${dispatch})`;
  if (name === 'rsaPub' && signedUrls === 'off') return 'signed_urls is off';
  return undefined;
};

/** A line for each value of a file that changes nothing: it is for Pulp alone, or another setting keeps it from counting. */
export const withoutEffect = (files: readonly IniFile[], settings: Deciding): readonly string[] => {
  const spelled = Object.entries(SETTINGS).flatMap(([name, setting]) =>
    spellingsOf(name, setting).map((spelling) => ({ ...spelling, name })),
  );
  const reasonFor = ({ section, key }: Spelling): string | undefined => {
    const is = (other: Spelling) => other.section === section && other.key === key;
    const found = spelled.find(is);
    if (found) return idleBecause(found.name, settings);
    // Of other keys in [lazy] there is a warning already: they look like misspelt settings.
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
