import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { listenAddresses } from '../http/addresses.ts';
import { UnknownInterfaceError } from '../http/unknown-interface.ts';
import { openAuthorization } from './authorization.ts';
import { checkTracing } from './check-tracing.ts';
import { checkControl } from './control-settings.ts';
import { checkDatabase } from './database-settings.ts';
import { checkObjects } from './object-settings.ts';
import { checkShared } from './own-catalog.ts';
import { checkSaveTarget } from './save-settings.ts';
import { checkSharing } from './state-folder.ts';
import { checkWarm } from './warm/check.ts';
import { checkWorkers } from './workers/shares.ts';

/**
 * Why the daemon would refuse these settings at its start. Connects to nothing and writes nothing.
 */
export const refusals = async (settings: Settings): Promise<readonly string[]> => {
  const checks: readonly (() => unknown)[] = [
    () => openAuthorization(settings),
    () => findAddresses('interfaces', settings.interfaces),
    () => (settings.adminPort > 0 ? findAddresses('admin_interfaces', settings.adminInterfaces) : undefined),
    () => checkSaveTarget(settings),
    () => checkObjects(settings),
    () => checkTracing(settings),
    () => checkSharing(settings),
    () => checkControl(settings),
    () => checkWarm(settings),
    () => checkWorkers(settings),
    () => (settings.catalogType === 'mongodb' ? checkDatabase(settings) : undefined),
    () => (settings.catalogType === 'shared' ? checkShared(settings) : undefined),
  ];
  const problems: string[] = [];
  for (const check of checks)
    try {
      await check();
    } catch (error) {
      if (error instanceof ConfigError) problems.push(...error.problems);
      else throw error;
    }
  return problems;
};

const findAddresses = async (key: string, interfaces: readonly string[]): Promise<void> => {
  try {
    await listenAddresses(interfaces);
  } catch (error) {
    if (error instanceof UnknownInterfaceError) throw new ConfigError([`${key}: ${error.message}`]);
    throw error;
  }
};
