import { ConfigError } from '../../config/config-error.ts';
import type { Settings } from '../../config/schema.ts';

type Deciding = Pick<Settings, 'dispatch' | 'catalogType'>;

/** Why nothing can be fetched ahead; `undefined` if it can. */
export const noWarming = ({ dispatch, catalogType }: Deciding): string | undefined => {
  if (catalogType === 'mongodb') return 'catalog_type is mongodb: Pulp itself downloads what its repositories have';
  return dispatch === 'save' ? undefined : `dispatch is ${dispatch}: no copies are kept here, expected dispatch = save`;
};

/** Throws a ConfigError if `warm` cannot be done. */
export const checkWarm = (settings: Deciding & Pick<Settings, 'warm'>): void => {
  const reason = settings.warm ? noWarming(settings) : undefined;
  if (reason !== undefined) throw new ConfigError([`warm: ${reason}`]);
};
