import { parentPort, workerData } from 'node:worker_threads';
import { loadTarget } from '../targets/index.ts';
import { announcedIn } from './announced.ts';
import { readCorpus } from './corpus-file.ts';
import { startCoverage } from './coverage.ts';
import { distil } from './distil.ts';
import { fuzz } from './fuzz.ts';
import type { Finding } from './target.ts';

/** What a thread is to do. */
export interface Job {
  readonly name: string;
  readonly seed: number;
  readonly guided: boolean;
  /** It ends after so many executions … */
  readonly executions: number;
  /** … and after so many milliseconds. */
  readonly time: number;
  /** Whether the smallest inputs that reach the same code are wanted. */
  readonly distils: boolean;
}

/** What it reports at its end. */
export interface Result {
  readonly executions: number;
  readonly reached: number;
  readonly kept: number;
  readonly findings: readonly Finding[];
  readonly distilled?: readonly Buffer[];
}

const work = async ({ name, distils, executions, time, ...options }: Job, memory: SharedArrayBuffer) => {
  const coverage = startCoverage();
  const target = await loadTarget(name);
  const { set: announce } = announcedIn(memory);
  const end = performance.now() + time;
  const mayContinue = (count: number) => count < executions && performance.now() < end;
  const inputs = readCorpus(name);
  const outcome = await fuzz({ ...options, target, coverage, inputs, mayContinue, announce });
  const distilled = distils ? await distil(outcome.corpus, inputs, { target, coverage, announce }) : undefined;
  coverage.stop();
  const { corpus, ...rest } = outcome;
  return { ...rest, kept: corpus.length, distilled } satisfies Result;
};

const { job, memory }: { readonly job: Job; readonly memory: SharedArrayBuffer } = workerData;
parentPort?.postMessage(await work(job, memory));
