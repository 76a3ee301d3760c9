import { ConfigError } from '../../config/config-error.ts';
import type { Settings } from '../../config/schema.ts';

type Deciding = Pick<Settings, 'dispatch' | 'catalogType'>;

/** Why nothing can be fetched ahead; `undefined` if it can. */
export const noWarming = ({ dispatch, catalogType }: Deciding): string | undefined => {
  if (catalogType === 'mongodb') return 'catalog_type is mongodb: Pulp itself downloads what its repositories have';
  return dispatch === 'save' ? undefined : `dispatch is ${dispatch}: no copies are kept here, expected dispatch = save`;
};

/** Why no bundle can be written or imported; `undefined` if it can. */
export const noBundles = (settings: Deciding & Pick<Settings, 'saveUrl'>): string | undefined =>
  noWarming(settings) ??
  (settings.saveUrl === '' ? undefined : 'save_url: bundles carry copies of a folder, expected save_dir alone');

/** Throws a ConfigError if `warm` cannot be done. */
export const checkWarm = (settings: Deciding & Pick<Settings, 'warm' | 'saveUrl'>): void => {
  const reason = settings.warm ? (noWarming(settings) ?? noUses(settings)) : undefined;
  if (reason !== undefined) throw new ConfigError([`warm: ${reason}`]);
};

/** A copy that was fetched ahead would count as used, so that the next version would be fetched, and so on. */
const noUses = ({ saveUrl }: Pick<Settings, 'saveUrl'>): string | undefined =>
  saveUrl === ''
    ? undefined
    : 'save_url: an object store does not tell when a client asked for a copy, expected save_dir alone, or the command warm';
