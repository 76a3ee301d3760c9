import { ConfigError } from '../config/config-error.ts';
import { keyOf, type SettingName, type Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import { brokerAddresses } from '../saves/celery/amqp/address.ts';
import { checkTemplate } from '../saves/celery/save-task.ts';
import { identityProblems } from './identity-files.ts';

/** Whether tasks are sent, and the settings of the broker are used. */
export const sendsTasks = ({ dispatch, deferredNudge }: Pick<Settings, 'dispatch' | 'deferredNudge'>): boolean =>
  dispatch === 'celery' || (dispatch === 'deferred' && deferredNudge);

/**
 * Throws a ConfigError if the settings cannot be used to have units saved elsewhere. Connects to
 * nothing.
 */
export const checkSaveTarget = (settings: Settings): void => {
  const { dispatch, catalogType, saveTaskArgs: args, saveTaskKwargs: kwargs } = settings;
  if (dispatch === 'deferred' && catalogType !== 'mongodb') throw invalid('dispatch', NO_DATABASE);
  if (dispatch === 'celery') judging('saveTaskArgs', () => checkTemplate({ args, kwargs }));
  if (!sendsTasks(settings)) return;
  const { addresses, tls } = brokerOf(settings);
  const problems = addresses.some((address) => address.tls)
    ? identityProblems({
        ca: ['brokerCacert', tls.caFile],
        cert: ['brokerCertfile', tls.certFile],
        key: ['brokerKeyfile', tls.keyFile],
      })
    : [];
  if (problems.length > 0) throw new ConfigError(problems);
};

export const NO_DATABASE = 'deferred requires catalog_type = mongodb, because its records are in Pulp’s database';

/** The broker's addresses and how to log in. Throws a ConfigError if its URL cannot be used. */
export const brokerOf = (settings: Settings) => ({
  addresses: judging('brokerUrl', () => brokerAddresses(settings.brokerUrl, settings.brokerTls)),
  tls: { caFile: settings.brokerCacert, certFile: settings.brokerCertfile, keyFile: settings.brokerKeyfile },
  login: settings.brokerLogin,
  declare: settings.brokerDeclare,
});

/** Turns an error of `judge` into a ConfigError about the setting. */
const judging = <T>(name: SettingName, judge: () => T): T => {
  try {
    return judge();
  } catch (error) {
    throw invalid(name, error);
  }
};

/** A ConfigError about one setting. */
export const invalid = (name: SettingName, problem: unknown): ConfigError =>
  new ConfigError([`${keyOf(name)}: ${typeof problem === 'string' ? problem : messageOf(problem)}`]);
