import type { Target } from '../engine/target.ts';

type Load = () => Promise<{ readonly target: Target }>;

/** Every parser of foreign bytes. A parser is loaded only when it is fuzzed: loading counts as reaching code. */
export const TARGETS = {
  response: () => import('./response.ts'),
  answer: () => import('./answer.ts'),
  byteranges: () => import('./byteranges.ts'),
  request: () => import('./request.ts'),
  'request-fields': () => import('./request-fields.ts'),
  'signed-url': () => import('./signed-url.ts'),
  ini: () => import('./ini.ts'),
  yum: () => import('./yum.ts'),
  primary: () => import('./primary.ts'),
  treeinfo: () => import('./treeinfo.ts'),
  mirrors: () => import('./mirrors.ts'),
  compressed: () => import('./compressed.ts'),
  'control-files': () => import('./control-files.ts'),
  release: () => import('./release.ts'),
  manifests: () => import('./manifests.ts'),
  jsonl: () => import('./jsonl.ts'),
  documents: () => import('./documents.ts'),
  rows: () => import('./rows.ts'),
  outbox: () => import('./outbox.ts'),
  sidecar: () => import('./sidecar.ts'),
} satisfies Record<string, Load>;

/** Parsers with a defect that was planted, to prove that the fuzzer finds such. */
export const PLANTED = {
  'planted-head': () => import('../planted/head.ts'),
  'planted-chunked': () => import('../planted/chunked.ts'),
  'planted-forwarded': () => import('../planted/forwarded.ts'),
} satisfies Record<string, Load>;

/** Others show what else is found: cost that grows too fast, and inputs that are never read to the end. */
const BAD: Readonly<Record<string, Load>> = {
  'bad-cost': () => import('../planted/cost.ts'),
  'bad-endless': () => import('../planted/endless.ts'),
};

export const loadTarget = async (name: string): Promise<Target> => {
  const known: Readonly<Record<string, Load>> = { ...TARGETS, ...PLANTED, ...BAD };
  const load = known[name];
  if (!load) throw new Error(`no target '${name}'; expected one of ${Object.keys(TARGETS).join(', ')}`);
  return (await load()).target;
};
