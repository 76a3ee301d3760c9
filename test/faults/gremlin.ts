import { mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { isSidecar } from '../../src/saves/copies/sidecar.ts';
import type { Random } from './random.ts';

export const HARMS = ['truncated', 'byte flipped', 'removed', 'replaced', 'folder in its place'] as const;
export type Harm = (typeof HARMS)[number];

/** Damages a file, even if it is being read. */
export const harm = async (file: string, how: Harm): Promise<void> => {
  const { size } = statSync(file);
  if (how === 'truncated') truncateSync(file, Math.floor(size / 2));
  if (how === 'byte flipped') {
    const handle = await open(file, 'r+');
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    await handle.write(Buffer.of(buffer.readUInt8() ^ 1), 0, 1, size - 1);
    await handle.close();
  }
  if (how === 'replaced') {
    writeFileSync(`${file}.new`, Buffer.alloc(size, 'x'));
    renameSync(`${file}.new`, file);
  }
  if (how === 'removed' || how === 'folder in its place') rmSync(file);
  if (how === 'folder in its place') mkdirSync(file);
};

interface Harmed {
  readonly what: 'saved copy' | 'the sidecar of a saved copy';
  readonly how: Harm;
  /** The damaged content: the copy's name without extension. */
  readonly key?: string;
}

/**
 * Damages a saved copy or its sidecar. Resolves to the kind and the file, or `undefined` without a
 * copy.
 */
export const harmOne = async (saved: string, random: Random): Promise<Harmed | undefined> => {
  const places = readdirSync(saved).filter((name) => /^[0-9a-f]{2}$/.test(name));
  if (places.length === 0) return undefined;
  const place = random.pick(places);
  const files = readdirSync(join(saved, place), { withFileTypes: true }).filter((found) => found.isFile());
  const how = random.pick(HARMS);
  const name = files.length > 0 ? random.pick(files).name : undefined;
  const file = name && join(saved, place, name);
  if (!file || (statSync(file).size === 0 && how !== 'removed')) return undefined;
  await harm(file, how);
  return isSidecar(file)
    ? { what: 'the sidecar of a saved copy', how }
    : { what: 'saved copy', how, key: place + parse(file).name };
};
