const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes as people read it, with at most four digits. */
export const sayBytes = (bytes: number): string => {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
};

export const sayRate = (bytes: number): string => `${sayBytes(bytes)}/s`;

/** A span in its largest unit, or the largest two. */
export const sayTime = (milliseconds: number): string => {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h`;
  return hours % 24 === 0 || hours > 240
    ? `${Math.floor(hours / 24)} d`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

const GROUPED = new Intl.NumberFormat('en');
export const sayCount = (count: number): string => GROUPED.format(count);

/** The name of a source as it is shown: `feed:HOST` and `alternate:ID` without their kinds. */
export const saySource = (name: string): string =>
  name === 'saved' ? 'saved copy' : name.replace(/^(feed|alternate):/, '');

/** The end of a path, with as many folders as fit. */
export const shortPath = (path: string, characters: number): string => {
  if (path.length <= characters) return path;
  const parts = path.split('/');
  let short = parts.pop() ?? '';
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (short.length + part.length + 3 > characters) return `…/${short}`;
    short = `${part}/${short}`;
  }
  return short;
};
