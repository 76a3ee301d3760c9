import { inLines } from '../faults/in-lines.ts';
import type { Start } from '../support/processes.ts';
import type { Cache } from './caches.ts';
import { fieldOf } from './fields.ts';
import { halvesOf, makeStory, type Story } from './plan.ts';
import { ALONE, beginStory, type End, type Finding } from './play.ts';
import type { Answer } from './response.ts';
import { openScene } from './scene.ts';
import { settingOf } from './setting.ts';
import { type Shrunk, shrink } from './shrink.ts';
import type { Verdict } from './verdict.ts';

interface RunOptions {
  readonly seed: number;
  readonly caches: readonly Cache[];
  /**
   * The numbers of the stories to play. Default: from 0 on, until each end has had `requests`
   * requests.
   */
  readonly stories?: readonly number[];
  readonly requests: number;
  /** The steps of each story to play. Default: all. */
  readonly steps?: readonly number[];
  /** Whether the first findings are repeated with fewer and fewer steps. */
  readonly shrinks: boolean;
}

/** The results of a run. */
export interface Tally {
  readonly findings: readonly Finding[];
  readonly shrunk: readonly Shrunk[];
  /** The number of each event at each end. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What the daemon wrote to its standard error. */
  readonly stderr: string;
}

/** Stories between two restarts of the streamer. */
const ROUND = 30;
/** Concurrent stories at an end. */
const CONCURRENT = 24;

const eventsOf = (answer: Answer, { kind }: Verdict): readonly string[] => {
  const isKept = /HIT|REVALIDATED|STALE/.test(fieldOf(answer, 'x-cache') ?? '');
  const isMultipart = fieldOf(answer, 'content-type')?.startsWith('multipart/') ?? false;
  return [
    'requests',
    kind,
    String(answer.status),
    answer.end,
    isKept ? 'hit' : 'miss',
    ...(isMultipart ? ['multipart'] : []),
  ];
};

/**
 * Plays stories at each cache, and at the streamer alone, and judges all answers in the same way.
 */
export const run = async (start: Start, newFolder: () => string, options: RunOptions): Promise<Tally> => {
  const { seed, caches, stories, steps, requests } = options;
  const setting = settingOf(seed);
  const scene = await openScene(start, newFolder(), setting);
  const started = await Promise.all(
    caches.map(async ({ name, parts, start: startCache }): Promise<End> => {
      const { url } = await startCache(start, newFolder(), scene.url);
      return { name, url, ...(parts !== undefined && { parts }) };
    }),
  );
  const ends: readonly End[] = [{ name: ALONE, url: scene.url }, ...started];
  const findings: Finding[] = [];
  const counts = new Map(ends.map(({ name }) => [name, new Map<string, number>()]));

  const begin = (story: Story, end: End, take: string, found: (finding: Finding) => void) =>
    beginStory(story, {
      scene,
      end,
      keeps: setting.keeps,
      take,
      found,
      answered: (answer, verdict) => {
        const count = counts.get(end.name)!;
        for (const what of eventsOf(answer, verdict)) count.set(what, (count.get(what) ?? 0) + 1);
      },
    });

  const round = async (numbers: readonly number[]) => {
    const chosen = numbers.map((number) => makeStory(seed, number));
    const plays = await Promise.all(
      ends.flatMap((end) =>
        chosen.map(async (story) => ({
          halves: halvesOf(story),
          play: await begin(story, end, '', (finding) => findings.push(finding)),
        })),
      ),
    );
    const playHalf = (half: 0 | 1) =>
      inLines(CONCURRENT * ends.length, plays.values(), ({ play, halves }) =>
        play.play(halves[half].filter((step) => steps?.includes(step) ?? true)),
      );
    await playHalf(0);
    await scene.restart();
    await playHalf(1);
    for (const { play } of plays) play.close();
  };

  const isShort = () => ends.some(({ name }) => (counts.get(name)!.get('requests') ?? 0) < requests);
  if (stories) await round(stories);
  else for (let at = 0; isShort(); at += ROUND) await round(Array.from({ length: ROUND }, (_, index) => at + index));

  const again = async (story: Story, name: string, take: string, few: readonly number[]) => {
    const found: Finding[] = [];
    const play = await begin(story, ends.find((end) => end.name === name)!, take, (finding) => found.push(finding));
    await play.play(few);
    play.close();
    return found;
  };
  const shrunk = options.shrinks ? await shrink(findings, again) : [];
  return { findings, shrunk, counts, stderr: await scene.close() };
};
