import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Flips a bit of a file as a failing disk does: neither its size nor its time shows it. `at` is
 * negative from the end.
 */
export const rot = (file: string, at: number): void => {
  const folder = mkdtempSync(join(tmpdir(), 'rot-'));
  // `touch` copies a time to the nanosecond.
  const time = join(folder, 'time');
  writeFileSync(time, '');
  execFileSync('touch', ['-r', file, time]);
  const fd = openSync(file, 'r+');
  const place = at < 0 ? fstatSync(fd).size + at : at;
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, place);
  writeSync(fd, Buffer.of(byte.readUInt8() ^ 1), 0, 1, place);
  closeSync(fd);
  execFileSync('touch', ['-r', time, file]);
  rmSync(folder, { recursive: true });
};
