import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lawfulFlows } from './lawful-flows.ts';

const ROOT = join(import.meta.dirname, '../..');
const OPERATORS = 'pipelines/operators';

/** Of each operator: its file, a text in it, and the one in its place. */
const MUTANTS: Readonly<Record<string, readonly [file: string, text: string, instead: string]>> = {
  createFlow: ['create-flow', '      this.#producer?.pause();\n      return;', '      return;'],
  operate: ['operate', 'if (!first.closed) source(valve)', 'if (!first.closed) source(OPEN)'],
  lift: ['flow', 'operator(source(valve))', 'operator(source(OPEN))'],
  deferFlow: ['flow', 'defer(() => make(valve))', 'defer(() => make(OPEN))'],
  every: ['valves', 'states.every(Boolean)', 'states.some(Boolean)'],
  closedTimeout: ['closed-timeout', 'scheduler.now() + timeoutMs, ()', 'scheduler.now(), ()'],
  firstTimeout: ['first-timeout', 'scheduler.now() + timeoutMs', 'scheduler.now()'],
  stallTimeout: ['stall-timeout', 'scheduler.now() + limit', 'scheduler.now()'],
  speedFloor: ['speed-floor', 'came < atLeast', 'came >= atLeast'],
  meter: ['meter', '        out.next(value);\n', ''],
  hedge: ['hedge', 'source(valve)', 'source(OPEN)'],
  limitConcurrency: [
    'limit-concurrency',
    'source.subscribe(subscriber);',
    'source.subscribe({ next: (value) => subscriber.next(value), error: (error) => subscriber.error(error), complete: () => subscriber.complete() });',
  ],
  mergeFlow: ['merge-flow', 'open && running < limit', 'running < limit'],
  concatFlow: ['merge-flow', 'next: (result) => out.next(result)', 'next: () => {}'],
  switchFlow: ['switch-flow', 'latest = undefined;', ''],
  shareFlow: ['shared', 'wanted ||= consumer.wants', 'wanted = true'],
  rateLimit: ['rate-limit', '    stream.inner.next(false);\n', ''],
  hold: ['hold', 'sink.next(value);', 'sink.next(value);\n            sink.next(value);'],
};

/** The laws that a mutant of each operator breaks. All run in one process, each with files of its own. */
export const ofMutants = (): readonly (readonly [name: string, laws: readonly string[]])[] => {
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, [file, text, instead]] of Object.entries(MUTANTS)) {
      cpSync(join(ROOT, OPERATORS), join(folder, name), { recursive: true });
      const path = join(folder, name, `${file}.ts`);
      const code = readFileSync(path, 'utf8');
      if (code.split(text).length < 2) throw new Error(`${name}: ${file}.ts has no “${text}”`);
      const needed =
        instead.includes('OPEN') && !/import \{[^}]*\bOPEN\b/.test(code) ? "import { OPEN } from './valve.ts';\n" : '';
      writeFileSync(path, needed + code.replace(text, () => instead));
    }
    const program = `import { ${ofMutant.name} } from ${JSON.stringify(import.meta.url)};
      const found = [];
      for (const name of ${JSON.stringify(Object.keys(MUTANTS))})
        found.push([name, await ofMutant(${JSON.stringify(pathToFileURL(folder).href)} + '/' + name, name)]);
      console.log(JSON.stringify(found));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
      cwd: ROOT,
    });
    return JSON.parse(said);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The laws that one mutant breaks; runs in the process of the mutants. */
export const ofMutant = async (url: string, name: string): Promise<readonly string[]> => {
  const [all, { brokenBy }] = await Promise.all([import(`${url}/index.ts`), import(`${url}/testing/index.ts`)]);
  const operator = lawfulFlows(all)[name];
  return operator ? brokenBy(operator).map(({ law }: { readonly law: string }) => law) : [];
};
