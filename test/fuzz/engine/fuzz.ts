import { seeded } from '../../faults/random.ts';
import { createCorpus } from './corpus.ts';
import { findCost } from './cost.ts';
import { blocksIn, type Coverage } from './coverage.ts';
import { findingOf } from './finding.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { addTo, newIn, type Reached, reachedBy, sizeOf } from './reached.ts';
import type { Finding, Target } from './target.ts';

interface Options {
  readonly target: Target;
  readonly coverage: Coverage;
  /** What mutations begin with. */
  readonly inputs: readonly Buffer[];
  readonly seed: number;
  /** Whether inputs that reach new code are kept. Without it, the fuzzer is blind. */
  readonly guided: boolean;
  /** Asked after each batch. */
  mayContinue(executions: number): boolean;
  /** Called before each execution: it may never end. */
  announce(input: Buffer): void;
}

export interface Outcome {
  /** All of them: to tell which input of a batch is new, and to minimise, as well. */
  readonly executions: number;
  readonly corpus: readonly Buffer[];
  /** Characters of code. */
  readonly reached: number;
  readonly findings: readonly Finding[];
}

/** The most inputs between two looks at the coverage, which cost as much as hundreds of inputs. */
const LARGEST_BATCH = 128;
/** Batches between two measurements of cost. */
const COST_EVERY = 8;
/** Different defects that are reported. */
const MOST_FINDINGS = 20;
const LONGEST = 4096;

/** Executes mutated inputs. Depends on nothing but the target and the options. */
export const fuzz = async ({ target, coverage, inputs, seed, guided, ...calls }: Options): Promise<Outcome> => {
  const random = seeded(seed);
  const corpus = createCorpus(random);
  const all: Reached = new Map();
  const findings = new Map<string, Finding>();
  const tokens = target.tokens.map((token) => Buffer.from(token, 'latin1'));
  const longest = target.longest ?? LONGEST;
  let executions = 0;

  const execute = async (input: Buffer): Promise<Finding | undefined> => {
    executions += 1;
    calls.announce(input);
    try {
      await target.check(input);
      return undefined;
    } catch (error) {
      return findingOf(error, input);
    }
  };

  const report = async (finding: Finding): Promise<void> => {
    const { what } = finding;
    if (findings.has(what) || findings.size >= MOST_FINDINGS) return;
    findings.set(what, finding);
    if (finding.kind !== 'error') return;
    const input = await minimise(finding.input, async (smaller) => (await execute(smaller))?.what === what);
    findings.set(what, { ...finding, input });
    coverage.take();
  };

  /** Executes an input alone, and keeps it if it reaches new code. */
  const examine = async (input: Buffer): Promise<void> => {
    const finding = await execute(input);
    const reached = reachedBy(coverage.take());
    if (finding) return report(finding);
    if (newIn(reached, all).size === 0) return;
    addTo(all, reached);
    corpus.add(input);
  };

  /** Returns whether the batch reached new code. */
  const run = async (batch: readonly Buffer[]): Promise<boolean> => {
    for (const input of batch) {
      const finding = await execute(input);
      if (finding) await report(finding);
    }
    const reached = guided ? reachedBy(coverage.take()) : new Map();
    if (newIn(reached, all).size === 0) return false;
    for (const input of batch) await examine(input);
    // Also what was only reached by inputs that are reported, or by what others left behind.
    addTo(all, reached);
    return true;
  };

  const measure = async (input: Buffer): Promise<number | undefined> => {
    const finding = await execute(input);
    const blocks = blocksIn(coverage.take());
    if (finding) await report(finding);
    return finding ? undefined : blocks;
  };

  // What the modules did when they were loaded.
  coverage.take();
  for (const input of inputs.length > 0 ? inputs : [Buffer.alloc(0)]) {
    if (guided) await examine(input);
    else corpus.add(input);
  }
  if (corpus.inputs.length === 0) corpus.add(Buffer.alloc(0));
  const material = { random, tokens, other: corpus.any };
  for (let size = 1, batches = 1; calls.mayContinue(executions); batches += 1) {
    const batch = Array.from({ length: size }, () => mutate(corpus.choose(), material, longest));
    const isNew = await run(batch);
    size = isNew ? Math.max(1, size >> 1) : Math.min(LARGEST_BATCH, size * 2);
    if (!guided || batches % COST_EVERY > 0) continue;
    const finding = await findCost(corpus.choose(), random, measure);
    if (finding) await report(finding);
  }
  return { executions, corpus: corpus.inputs, reached: sizeOf(all), findings: [...findings.values()] };
};
