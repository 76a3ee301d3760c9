import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkSharing, describeFindings, narrowState } from '../../../src/app/state-folder.ts';
import { temporaryFolders } from '../../support/folder.ts';

const folder = temporaryFolders();
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

const STATE = ['catalog.db', 'catalog.db-wal', 'catalog.db-shm', 'outbox.db', 'outbox.db-wal', 'sources.json'];

/**
 * A state folder as earlier versions left it, open to everybody, with these files in it as well.
 */
const openState = ({ also = [], catalog = 'catalog.db' }: { also?: string[]; catalog?: string } = {}) => {
  const stateDir = join(folder(), 'state');
  const saveDir = join(stateDir, 'saved');
  const copy = join(saveDir, 'ab', 'cd.rpm');
  for (const made of [stateDir, saveDir, join(saveDir, 'ab'), join(saveDir, '.partial')]) {
    mkdirSync(made);
    chmodSync(made, 0o755);
  }
  for (const file of [...[...STATE, ...also].map((name) => join(stateDir, name)), copy]) {
    writeFileSync(file, '');
    chmodSync(file, 0o644);
  }
  return { stateDir, saveDir, catalog: join(stateDir, catalog), spillDir: join(stateDir, 'spill'), copy };
};

describe('narrowState', () => {
  it('narrows folders and files, but not each copy, and names all of it', () => {
    const { copy, ...places } = openState({ also: ['catalog.db.bak', 'lost+found'] });
    const { stateDir, saveDir } = places;
    const files = STATE.map((name) => join(stateDir, name));
    const found = narrowState(places);
    expect(found.map(({ path }) => path).sort()).toEqual([stateDir, saveDir, ...files].sort());
    expect(found.every(({ kept }) => kept === undefined)).toBe(true);
    expect([stateDir, saveDir, ...files].map(modeOf)).toEqual(['700', '700', ...files.map(() => '600')]);
    expect(modeOf(copy)).toBe('644');
    expect(narrowState(places)).toEqual([]);
  });

  it.each(['notes.txt', 'catalog', 'saved2', 'conf.d'])(
    'leaves a folder alone that holds %s, not its files',
    (other) => {
      const { copy, ...places } = openState({ also: [other] });
      const found = narrowState(places);
      expect(found[0]).toEqual({
        path: places.stateDir,
        mode: '0755',
        kept: `it holds other files as well (${other})`,
      });
      expect([places.stateDir, join(places.stateDir, other), places.catalog].map(modeOf)).toEqual([
        '755',
        '644',
        '600',
      ]);
    },
  );

  it('leaves the group of shared copies its permissions', () => {
    const { copy, ...places } = openState();
    chmodSync(places.saveDir, 0o777);
    const found = narrowState({ ...places, shareCopies: true });
    expect(found).toContainEqual({ path: places.saveDir, mode: '0777', narrowed: '0750' });
    expect(narrowState({ ...places, shareCopies: true })).toEqual([]);
  });

  it('leaves a folder of copies alone that holds anything else', () => {
    const { copy, ...places } = openState();
    mkdirSync(join(places.saveDir, 'www'));
    expect(narrowState(places)[1]).toMatchObject({ path: places.saveDir, kept: 'it holds other files as well (www)' });
    expect(modeOf(places.saveDir)).toBe('755');
  });

  it('narrows the catalog where it is configured, not the folder that it is in', () => {
    const { copy, ...places } = openState();
    const elsewhere = folder();
    chmodSync(elsewhere, 0o755);
    const catalog = join(elsewhere, 'pulp.db');
    for (const path of [catalog, `${catalog}-wal`, join(elsewhere, 'other')]) {
      writeFileSync(path, '');
      chmodSync(path, 0o644);
    }
    narrowState({ ...places, catalog });
    expect([elsewhere, catalog, `${catalog}-wal`, join(elsewhere, 'other')].map(modeOf)).toEqual([
      '755',
      '600',
      '600',
      '644',
    ]);
  });

  it('narrows files behind a link to the folder, not what the link leads to', () => {
    const { copy, ...places } = openState();
    const link = join(folder(), 'link');
    symlinkSync(places.stateDir, link);
    const found = narrowState({
      stateDir: link,
      catalog: join(link, 'catalog.db'),
      saveDir: join(link, 'saved'),
      spillDir: join(link, 'spill'),
    });
    expect(found[0]).toEqual({ path: link, mode: '0755', kept: 'it is a symbolic link' });
    expect([places.stateDir, places.catalog].map(modeOf)).toEqual(['755', '600']);
  });

  it('has nothing to do where there is nothing', () => {
    const stateDir = join(folder(), 'none');
    const places = {
      stateDir,
      catalog: join(stateDir, 'catalog.db'),
      saveDir: join(stateDir, 'saved'),
      spillDir: join(stateDir, 'spill'),
    };
    expect(narrowState(places)).toEqual([]);
  });
});

describe('checkSharing', () => {
  const files = { stateDir: '/state', catalog: '/state/catalog.db', spillDir: '/state/spill', saveUrl: '' };
  const places = { ...files, dispatch: 'save', shareCopies: true } as const;
  it('refuses copies for a group within a folder that is closed to it', () => {
    expect(() => checkSharing({ ...places, saveDir: '/state/saved' })).toThrow(
      'share_copies: save_dir lies in state_dir, which no group may enter',
    );
    expect(() => checkSharing({ ...places, saveDir: '/state-copies' })).not.toThrow();
    expect(() => checkSharing({ ...places, saveDir: '/state/saved', shareCopies: false })).not.toThrow();
    expect(() => checkSharing({ ...places, saveDir: '/state/saved', dispatch: 'none' })).not.toThrow();
  });
});

describe('describeFindings', () => {
  it('describes the change of each file', () => {
    const text = describeFindings([
      { path: '/a', mode: '0644', narrowed: '0600' },
      { path: '/b', mode: '0755', kept: 'it is a symbolic link' },
    ]);
    expect(text).toBe(
      'warning: /a was accessible to other users (mode 0644), its mode is now 0600\n' +
        'warning: /b keeps its mode 0755: it is a symbolic link\n',
    );
  });
});
