import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { processes } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { runTransfers } from './run.ts';
import { type Tally, written } from './tally.ts';

const seed = Number(process.env.FAULT_SEED ?? 1);
const transfers = Number(process.env.FAULT_RUNS ?? 2_000);

const PAGE = new URL('../../docs/explanation/reliability.md', import.meta.url);
const MARKED = /(<!-- run -->\n)[\s\S]*?(\n<!-- \/run -->)/;

const title = `${transfers} transfers under random faults, seed ${seed}`;
const hasSquid = spawnSync('squid', ['-v']).status === 0;

(hasSquid ? describe : describe.skip)(hasSquid ? title : `${title} (skipped: needs squid)`, () => {
  const start = processes();
  const folder = temporaryFolders();
  let run: Tally;
  const counted = (what: string) => run.counts.get(what) ?? 0;

  beforeAll(async () => {
    run = await runTransfers(start, folder, { seed, transfers, atOnce: 24 });
    if (process.env.FAULT_WRITE) {
      const page = readFileSync(PAGE, 'utf8');
      writeFileSync(
        PAGE,
        page.replace(MARKED, (_, begin, end) => `${begin}${written(seed, run)}${end}`),
      );
    }
  }, 900_000);

  it('keep every promise', () => expect(run.broken.slice(0, 3)).toEqual([]));

  it('never end cleanly with a wrong digest', () => expect(counted('wrong')).toBe(0));

  it('complete while one source is good', () => expect(counted('not completed')).toBe(0));

  it('never hang', () => expect(counted('hangs')).toBe(0));

  it('leave no socket, file or partial copy behind', () => {
    expect(counted('descriptors')).toBe(0);
    expect(counted('partials')).toBe(0);
  });

  it('release their memory', () => expect(counted('leaked')).toBe(0));

  it('really happened: directly, in part, shared and from Squid’s memory, resumed, failed over, from saved copies, refused, cut', () => {
    expect(counted('daemon') + counted('squid')).toBe(transfers);
    for (const what of ['parts', 'shared', 'hits', 'resumed', 'failed over', 'saved', 'refused', 'cut', 'left'])
      expect({ what, happened: counted(what) > 0 }).toEqual({ what, happened: true });
  });

  it('are written down in docs/explanation/reliability.md, with the same zeros', () => {
    const [table = ''] = MARKED.exec(readFileSync(PAGE, 'utf8')) ?? [];
    const zeros = written(0, { ...run, counts: new Map() }).match(/^\| \*\*.*$/gm) ?? [];
    expect(zeros).toHaveLength(6);
    expect(table.match(/^\| \*\*.*$/gm)).toEqual(zeros);
  });
});
