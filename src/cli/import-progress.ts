import type { Progress } from '../catalog/import.ts';
import type { Output } from './catalog-context.ts';
import { oneLine } from './one-line.ts';

const WIDTH = 24;
/** Milliseconds between two drawings. */
const PERIOD = 100;

const bar = (part: number): string => '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.');

const draw = ({ file, bytes, size, items }: Progress): string => {
  const part = size ? Math.min(bytes / size, 1) : undefined;
  const name = file.slice(file.lastIndexOf('/') + 1).slice(-40);
  const gauge = part === undefined ? `${bytes} bytes` : `[${bar(part)}] ${Math.floor(part * 100)} %`;
  return `${gauge}  ${items} entries  ${oneLine(name)}`;
};

/** A progress bar for a terminal, without colours; elsewhere nothing at all. */
export const importProgress = (output: Output): { show(progress: Progress): void; clear(): void } => {
  if (!output.isTTY) return { show: () => {}, clear: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show: (progress) => {
      const now = performance.now();
      if (now - drawnAt < PERIOD) return;
      drawnAt = now;
      output.write(`\r\x1b[K${draw(progress)}`);
    },
    clear: () => {
      output.write('\r\x1b[K');
    },
  };
};
