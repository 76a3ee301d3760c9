import type { Job } from './messages.ts';

/**
 * The program of the process that refreshes a repository for the daemon. It must be a file of its
 * own wherever the package runs from: its sources, compiled, or bundled.
 */

/** This file. It gets a Job from its parent, and answers with Messages. */
export const PROGRAM: string = import.meta.filename;

// Without `await`: in the bundle, the other module may import this file, and would wait for it.
if (import.meta.main) process.once('message', (job: Job) => import('./child.ts').then(({ run }) => run(job)));
