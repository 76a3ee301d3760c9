import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { codeOf } from '../lib/thrown.ts';
import { howToInstall } from './how-to-install.ts';
import { identityProblems } from './identity-files.ts';
import { invalid } from './save-settings.ts';

/** The settings of the object store. */
export type ObjectSettings = Pick<
  Settings,
  | 'dispatch'
  | 'saveUrl'
  | 'saveEndpoint'
  | 'saveRegion'
  | 'savePathStyle'
  | 'saveAccessKey'
  | 'saveSecretKey'
  | 'saveCa'
>;

/** Whether copies are kept in an object store. */
export const savesObjects = ({ dispatch, saveUrl }: Pick<Settings, 'dispatch' | 'saveUrl'>): boolean =>
  dispatch === 'save' && saveUrl !== '';

/** What the package does not install by itself. */
const PACKAGE = '@aws-sdk/client-s3';

/** Throws a ConfigError if the settings of the object store cannot be used. Connects to nothing. */
export const checkObjects = (settings: ObjectSettings): void => {
  if (!savesObjects(settings)) return;
  const { saveAccessKey, saveSecretKey, saveCa } = settings;
  if ((saveAccessKey === '') !== (saveSecretKey === ''))
    throw invalid(
      saveAccessKey === '' ? 'saveAccessKey' : 'saveSecretKey',
      'is empty; expected both save_access_key and save_secret_key, or neither',
    );
  const problems = identityProblems({ ca: ['saveCa', saveCa], cert: ['saveCa', ''], key: ['saveCa', ''] });
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    import.meta.resolve(PACKAGE);
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw invalid('saveUrl', `the client of object stores is not installed; expected ${howToInstall([PACKAGE])}`);
  }
};
