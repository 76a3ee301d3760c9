/**
 * The program of a worker. It must be a file of its own wherever the package runs from: its sources,
 * compiled, or bundled.
 */

/** This file. The master talks with it over its channel. */
export const PROGRAM: string = import.meta.filename;

if (import.meta.main) {
  // What is meant for the master, and sent to its whole group.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => {});
  // Without `await`: in the bundle, the other module may import this file, and would wait for it.
  void import('./worker.ts').then(({ run }) => run());
}
