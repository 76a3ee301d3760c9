import type { Spelling } from './schema.ts';

/** Sections of Pulp 2's server.conf that the streamer reads, and what their other keys are for. */
export const SHARED_SECTIONS: ReadonlyMap<string, string> = new Map([
  ['server', 'it is for Pulp’s own server'],
  ['database', 'it is for Pulp’s own connection to the database'],
  ['tasks', 'it is for Pulp’s own workers'],
  ['authentication', 'it is for Pulp’s own server'],
  ['lazy', 'it is for Pulp, which redirects clients to the streamer and downloads later what they asked for'],
]);

/** Its other sections, of all releases. The streamer does not read them. */
export const PULP_SECTIONS: readonly string[] = [
  'security',
  'consumer_history',
  'coordinator',
  'data_reaping',
  'ldap',
  'oauth',
  'logs',
  'messaging',
  'scheduler',
  'email',
];

/** Pulp's own keys in `[lazy]`. Any other key there is probably a misspelt setting. */
export const PULP_KEYS: readonly Spelling[] = [
  'redirect_host',
  'redirect_port',
  'https_retrieval',
  'download_interval',
  'download_concurrency',
  'enabled',
].map((key) => ({ section: 'lazy', key }));
