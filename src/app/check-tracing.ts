import { codeOf } from '../lib/thrown.ts';
import { howToInstall } from './how-to-install.ts';
import { invalid } from './save-settings.ts';

/** Packages for traces, which the package does not install. */
const PACKAGES = ['sdk-trace', 'exporter-trace-otlp-http', 'resources'].map((name) => `@opentelemetry/${name}`);

/** Throws a ConfigError if requests are to be traced and OpenTelemetry is not installed. Loads nothing. */
export const checkTracing = ({ traces }: { readonly traces: boolean }): void => {
  if (!traces) return;
  try {
    for (const name of PACKAGES) import.meta.resolve(name);
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw invalid('traces', `OpenTelemetry is not installed; expected ${howToInstall(PACKAGES)}`);
  }
};
