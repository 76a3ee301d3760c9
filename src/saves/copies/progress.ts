import type { CopyEnd, CopyProgress } from '../../../pipelines/model/index.ts';

/** A progress as its writer sees it. It holds numbers alone: a report keeps it for long. */
export type Progress = { -readonly [Name in keyof CopyProgress]: CopyProgress[Name] };

export const newProgress = (): Progress => ({ taken: 0, written: 0 });

/** Says what became of a copy. Only the first call counts. */
export const settle = (progress: Progress, at: number, how: CopyEnd['how'], reason?: string): void => {
  progress.end ??= { at, how, ...(reason !== undefined && { reason }) };
};
