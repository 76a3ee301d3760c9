import { makeStory, type Story } from './plan.ts';
import type { Finding } from './play.ts';

/**
 * A finding, and the fewest steps of its story that lead to the same kind of finding. No steps: it only
 * occurs together with other stories.
 */
export interface Shrunk {
  readonly finding: Finding;
  readonly steps: readonly number[];
}

/** Plays some steps of a story at an end, under the name `take`. Resolves to the findings. */
type Again = (story: Story, end: string, take: string, steps: readonly number[]) => Promise<readonly Finding[]>;

/** Findings of each kind at each end that are shrunk. */
const EACH = 2;

const kindOf = ({ end, category }: Finding): string => `${end}: ${category}`;

/**
 * Plays the first findings of each kind repeatedly, each time without one more step, as long as the
 * same kind is found.
 */
export const shrink = async (findings: readonly Finding[], again: Again): Promise<readonly Shrunk[]> => {
  const chosen = findings.filter((finding, at) => {
    const before = findings.slice(0, at).filter((other) => kindOf(other) === kindOf(finding));
    return before.length === 0 || (before.length < EACH && before.every(({ story }) => story !== finding.story));
  });
  return Promise.all(chosen.map((finding, at) => shrinkOne(finding, `${at}-`, again)));
};

const shrinkOne = async (finding: Finding, name: string, again: Again): Promise<Shrunk> => {
  const story = makeStory(finding.seed, finding.story);
  let take = 0;
  const finds = async (steps: readonly number[]) => {
    take += 1;
    const found = await again(story, finding.end, `${name}${take}-`, steps);
    return found.find((other) => kindOf(other) === kindOf(finding));
  };
  let steps = story.steps.flatMap(({ what }, number) => (what === 'restart' || number > finding.step ? [] : [number]));
  let best = await finds(steps);
  if (!best) return { finding, steps: [] };
  for (const step of steps.toReversed()) {
    const fewer = steps.filter((other) => other !== step);
    const found = await finds(fewer);
    if (!found) continue;
    best = found;
    steps = fewer;
  }
  return { finding: best, steps };
};
