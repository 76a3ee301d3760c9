import type { Loaded } from '../../config/load.ts';
import { settingsJson } from '../../config/print.ts';
import type { Status } from '../status.ts';
import { version } from '../version.ts';
import { type Checkup, finding, fine } from './checkup.ts';

/** The status of the running daemon, the reason why it cannot be asked, or that none runs. */
export type Asked = { readonly status: Status } | { readonly problem: string } | 'not running';

/** Seconds for which a save request may wait: most are delivered within one. */
const LONG = 3_600;

const LOG = 'look at its log: journalctl -u pulp-streamer';

export const examineDaemon = (asked: Asked, loaded: Loaded): readonly Checkup[] => {
  if (asked === 'not running')
    return [
      finding(
        'warning',
        'daemon',
        'daemon',
        'not running',
        'start it: systemctl start pulp-streamer, or pulp-streamer serve',
      ),
    ];
  if ('problem' in asked) return [finding('problem', 'daemon', 'daemon', asked.problem, LOG)];
  const { status } = asked;
  const { saves, sources } = status;
  return [
    status.missing.length === 0
      ? fine(
          'daemon',
          'daemon',
          `${status.state}, version ${status.version}, listening on ${status.listening.join(', ')}`,
        )
      : finding('problem', 'daemon', 'daemon', status.missing.join('; '), `correct what is named, or ${LOG}`),
    ...status.degraded.map((found) =>
      finding('warning', 'daemon', 'a part of the daemon', found, `correct what is named, or ${LOG}`),
    ),
    ...sources.unhealthy.map(({ source, error, until }) =>
      finding(
        'warning',
        'feeds',
        `source ${source}`,
        `${error}; tried last until ${until}`,
        'look its code up in docs/how-to/troubleshoot.md',
      ),
    ),
    ...(status.version === version
      ? []
      : [
          finding(
            'warning',
            'daemon',
            'version',
            `the daemon runs ${status.version}, and ${version} is installed`,
            'restart it: systemctl restart pulp-streamer',
          ),
        ]),
    ...(status.restart_needed.length === 0
      ? []
      : [
          finding(
            'warning',
            'configuration',
            'settings that a reload does not change',
            status.restart_needed.join(', '),
            'restart the daemon: systemctl restart pulp-streamer',
          ),
        ]),
    ...notReloaded(status, loaded),
    ...(saves.oldest < LONG
      ? []
      : [
          finding(
            'warning',
            'daemon',
            'saves',
            `${saves.waiting} wait, the oldest for ${Math.round(saves.oldest / 3_600)} h`,
            '`pulp-streamer saves list` has the reason of each; after it is gone: pulp-streamer saves retry',
          ),
        ]),
  ];
};

/** What the files say, and the daemon does not know yet. Flags and variables of its start stay its own. */
const notReloaded = (status: Status, loaded: Loaded): readonly Checkup[] => {
  const isOfFiles = (origin = '') => /^(\/|default)/.test(origin);
  const changed = Object.entries(settingsJson(loaded)).filter(([name, { value, origin }]) => {
    const running = status.settings[name];
    return (
      isOfFiles(origin) &&
      isOfFiles(running?.origin) &&
      !status.restart_needed.includes(name) &&
      JSON.stringify(running?.value) !== JSON.stringify(value)
    );
  });
  return changed.length === 0
    ? []
    : [
        finding(
          'warning',
          'configuration',
          'settings that the daemon has not read yet',
          changed.map(([name]) => name).join(', '),
          'pulp-streamer reload',
        ),
      ];
};
