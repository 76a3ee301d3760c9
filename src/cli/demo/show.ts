import type { FinishedRequest } from '../../lib/finished-request.ts';
import { sayBytes } from '../progress.ts';
import type { Scene } from './scenes.ts';

const DIM = '\x1b[2m';
const BOLD = '\x1b[1m';
const PLAIN = '\x1b[0m';

/** Writes for a terminal, in colour unless `NO_COLOR` is set (no-color.org). */
export const makeShow = (out: NodeJS.WriteStream) => {
  const coloured = out.isTTY && !process.env.NO_COLOR;
  const paint = (style: string, text: string) => (coloured ? `${style}${text}${PLAIN}` : text);
  const line = (text = '') => out.write(`${text}\n`);

  /** One request: a line for each moment, then what came of it. */
  const scene = (
    number: number,
    { title, path }: Scene,
    { status, report }: FinishedRequest,
    problems: readonly string[],
  ) => {
    line();
    line(`${paint(BOLD, `${number}. GET ${path}`)}  ${paint(DIM, title)}`);
    for (const { at, what, detail } of report?.timeline ?? [])
      line(paint(DIM, `   ${at.toFixed(0).padStart(5)} ms  ${what.padEnd(10)} ${detail}`).trimEnd());
    const facts = [
      status,
      sayBytes(report?.bytes ?? 0),
      `${(report?.duration ?? 0).toFixed(0)} ms`,
      report?.source,
      report?.verified && `${report.verified} verified`,
      report?.pauses &&
        `paused ${report.pauses === 1 ? 'once' : `${report.pauses} times`}, ${report.pausedFor.toFixed(0)} ms`,
      report?.error?.code,
    ];
    line(`   ${problems.length > 0 ? 'WRONG' : 'as expected'}: ${facts.filter(Boolean).join(' · ')}`);
    for (const problem of problems) line(`   ${paint(BOLD, problem)}`);
  };
  return { line, scene, title: (text: string) => line(paint(BOLD, text)) };
};
