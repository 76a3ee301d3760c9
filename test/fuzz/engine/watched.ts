import { Worker } from 'node:worker_threads';
import { announcedIn, newMemory } from './announced.ts';
import type { Finding } from './target.ts';
import type { Job, Result } from './thread.ts';

const INTERVAL = 250;
const MIB = 1 << 20;
/** Of JavaScript objects in the thread, and of this process in all. */
const LIMITS = { heap: 512, process: 2048 * MIB };

/**
 * Runs a job in a thread of its own. If an input does not end, or needs more memory than any should,
 * the thread is ended, and the input is a finding.
 *
 * @param patience milliseconds that one input may take
 */
export const runWatched = (job: Job, patience: number): Promise<Result> =>
  new Promise((resolve) => {
    const memory = newMemory();
    const announced = announcedIn(memory);
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: { job, memory },
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.heap },
    });
    let last = -1;
    let since = performance.now();

    const end = (result: Result) => {
      clearInterval(timer);
      void thread.terminate();
      resolve(result);
    };
    const endWith = (kind: Finding['kind'], what: string, detail: string) => {
      const finding = { kind, what, detail, input: announced.get() };
      end({ executions: announced.count(), reached: 0, kept: 0, findings: [finding] });
    };
    const timer = setInterval(() => {
      const count = announced.count();
      if (count !== last) {
        last = count;
        since = performance.now();
      } else if (performance.now() - since > patience)
        endWith('hang', 'hang', `the input was not read within ${patience / 1000} s`);
      if (process.memoryUsage.rss() > LIMITS.process)
        endWith('memory', 'memory', `the process needs more than ${LIMITS.process / MIB} MiB`);
    }, INTERVAL);

    // Sent as plain arrays of bytes.
    thread.on('message', (result: Result) =>
      end({
        ...result,
        findings: result.findings.map((finding) => ({ ...finding, input: Buffer.from(finding.input) })),
        distilled: result.distilled?.map((input) => Buffer.from(input)),
      }),
    );
    thread.on('error', (error) => {
      const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      endWith(isMemory ? 'memory' : 'error', `outside of the check: ${error.name}`, error.stack ?? error.message);
    });
  });
