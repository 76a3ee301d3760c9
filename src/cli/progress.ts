/** Shows progress on one line that is rewritten; shows nothing if `out` is not a terminal. */
export interface ProgressBar {
  /** Bytes so far, and in total if known. */
  update(done: number, total: number | undefined): void;
  /** Takes the line away. */
  stop(): void;
}

const WIDTH = 30;
/** Milliseconds between two drawings. */
const PACE = 100;

export const progressBar = (out: NodeJS.WriteStream): ProgressBar => {
  if (!out.isTTY) return { update: () => {}, stop: () => {} };
  let drawn = 0;
  return {
    update: (done, total) => {
      const now = Date.now();
      if (now - drawn < PACE) return;
      drawn = now;
      const share = total ? done / total : 0;
      const bar = total
        ? `[${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}] ${Math.floor(share * 100)} %`
        : '';
      out.write(`\r\x1b[K${bar} ${sayBytes(done)}${total ? ` of ${sayBytes(total)}` : ''}`);
    },
    stop: () => {
      if (drawn > 0) out.write('\r\x1b[K');
    },
  };
};

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes as people read it. */
export const sayBytes = (bytes: number): string => {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
};
