import { spawnSync } from 'node:child_process';

const isThere = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

/** The tools that this machine lacks. */
export const missingTools = (tools: readonly string[]): string[] => tools.filter((tool) => !isThere(tool));
