/**
 * The program of the process that reads metadata. It must be a file of its own wherever the package
 * runs from: its sources, compiled, or bundled.
 */

/** This file, to be started with a Job as its argument. */
export const PROGRAM: string = import.meta.filename;

// Without `await`: in the bundle, the other module may import this file, and would wait for it.
if (import.meta.main) import('./child.ts').then(({ read }) => read(JSON.parse(process.argv[2] ?? '')));
