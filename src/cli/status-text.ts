import type { Status } from '../app/status.ts';
import { counted } from './counted.ts';
import { oneLine } from './one-line.ts';
import { sayBytes } from './progress.ts';

/** A status for a terminal: the state first, then what is wrong, then the rest. */
export const describeStatus = (status: Status): string => {
  const { state, missing, degraded, version, pid, uptime, listening, connections, requests } = status;
  const { saves, warming, sources, prefixes, workers, restart_needed: restart, settings } = status;
  const changed = Object.entries(settings).filter(([, { origin }]) => origin !== 'default' && origin !== '');
  const lines = [
    `${state}`,
    ...missing.map((reason) => `  ${reason}`),
    ...degraded.map((reason) => `  ${reason}`),
    '',
    `version      ${version}, process ${pid}, for ${span(uptime)}`,
    `listening    ${listening.join(', ') || '-'}`,
    `requests     ${requests} now, over ${connections} connections`,
    ...workers.map(
      ({ worker, pid, restarts }) =>
        `worker       ${worker}: process ${pid}${restarts > 0 ? `, replaced ${restarts} times` : ''}`,
    ),
    `saves        ${saves.dispatch}: ${saves.waiting} waiting${saves.waiting > 0 ? `, the oldest for ${span(saves.oldest)}` : ''}${saves.broker ? `, broker ${saves.broker}` : ''}`,
    ...(warming && warming.state !== 'off' ? [describeWarming(warming)] : []),
    ...sources.unhealthy.map(
      ({ source, failures, until, error }) =>
        `source       ${source}: tried last until ${until}, ${failures} failures in a row, ${error}`,
    ),
    ...sources.alternates.map(({ id, state, offers }) => `alternate    ${id}: ${state}, ${offers} offers`),
    ...prefixes.map(
      ({ prefix, feed, packages, followed, succeeded }) =>
        `prefix       ${prefix}: ${followed ? 'follows' : 'imported from'} ${feed}, ${counted(packages, 'package')}, as of ${succeeded ?? 'never'}`,
    ),
    ...changed.map(([name, { text, origin }]) => `setting      ${name} = ${text} (${origin})`),
    ...(restart.length > 0 ? [`a restart is needed for: ${restart.join(', ')}`] : []),
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join('');
};

const describeWarming = ({ state, waiting, waitingBytes, files, bytes, failed }: NonNullable<Status['warming']>) =>
  `warming      ${state.replace('-', ' ')}: ${waiting} waiting${waiting > 0 ? ` (${sayBytes(waitingBytes)})` : ''}, ${files} fetched ahead (${sayBytes(bytes)})${failed > 0 ? `, ${failed} failed` : ''} since the start`;

/** `3 d 4 h`, `4 h 5 min`, `5 min 6 s`, `6 s`. */
const span = (seconds: number): string => {
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const at = units.findIndex(([size]) => seconds >= size);
  let left = seconds;
  const parts = units.slice(at === -1 ? 3 : at, at === -1 ? 4 : at + 2).map(([size, name]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return `${count} ${name}`;
  });
  return parts.join(' ');
};
