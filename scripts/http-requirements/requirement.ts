/** What RFC 9110 or RFC 9112 requires of one who receives messages as the streamer does. */
export interface Requirement {
  /** RFC and section. */
  readonly at: `${9110 | 9112} ${string}`;
  readonly level: 'must' | 'should' | 'may';
  readonly required: string;
  readonly ours: string;
  readonly tests: readonly TestOfIt[];
}

/** A test: its file, its title as written there, and the case of its table, if it has one. */
export type TestOfIt = readonly [file: string, title: string, name?: string];

const FEED = 'test/src/sources/feed';

const read = (name: string): TestOfIt => [`${FEED}/conformance.test.ts`, 'is read: %s', name];
const refused = (name: string): TestOfIt => [
  `${FEED}/conformance.test.ts`,
  'is refused, and its connection closed: %s',
  name,
];
const refusedThroughProxy = (name: string): TestOfIt => [
  `${FEED}/conformance.test.ts`,
  'is refused through a proxy alone, with the reason: %s',
  name,
];
const readThroughProxy = (name: string): TestOfIt => [
  `${FEED}/conformance.test.ts`,
  'is read through a proxy alone: %s',
  name,
];
const served = (name: string): TestOfIt => [
  'test/src/http/malformed.test.ts',
  'is served, at once and in pieces: %s',
  name,
];
const malformed = (name: string): TestOfIt => [
  'test/src/http/malformed.test.ts',
  'is refused, at once and in pieces: %s',
  name,
];
const inFile =
  (file: string) =>
  (title: string, name?: string): TestOfIt =>
    name === undefined ? [file, title] : [file, title, name];

/** Tests by short names. */
export const T = {
  read,
  refused,
  refusedThroughProxy,
  readThroughProxy,
  served,
  malformed,
  conformance: inFile(`${FEED}/conformance.test.ts`),
  answer: inFile(`${FEED}/answer.test.ts`),
  redirect: inFile(`${FEED}/redirect.test.ts`),
  proxy: inFile(`${FEED}/proxy.test.ts`),
  feed: inFile(`${FEED}/http.test.ts`),
  tls: inFile(`${FEED}/tls.test.ts`),
  oldTls: inFile(`${FEED}/old-tls.test.ts`),
  flow: inFile(`${FEED}/flow.test.ts`),
  pool: inFile(`${FEED}/pool.test.ts`),
  byteranges: inFile(`${FEED}/byteranges.test.ts`),
  client: inFile(`${FEED}/http1/connection.test.ts`),
  response: inFile(`${FEED}/http1/response.test.ts`),
  server: inFile('test/src/http/server.test.ts'),
  connection: inFile('test/src/http/connection.test.ts'),
  limits: inFile('test/src/http/limits.test.ts'),
  conditions: inFile('test/src/http/conditions.test.ts'),
  range: inFile('test/src/http/range.test.ts'),
  date: inFile('test/pipelines/model/http-date.test.ts'),
  ranges: inFile('test/pipelines/ranges.test.ts'),
  head: inFile('test/pipelines/stages/client-head.test.ts'),
  headers: inFile('test/e2e/headers.test.ts'),
  odd: inFile('test/e2e/odd-answers.test.ts'),
  via: inFile('test/src/http/identify.test.ts'),
  cut: inFile('test/pipelines/cut-parts.test.ts'),
  several: inFile('test/pipelines/several-parts.test.ts'),
  openParts: inFile('test/pipelines/stages/attempts/open-parts.test.ts'),
  decodes: inFile('test/pipelines/stages/attempts/decodes.test.ts'),
  next: inFile('test/pipelines/stages/attempts/next-attempt.test.ts'),
  unchanged: inFile('test/e2e/unchanged.test.ts'),
  wrong: inFile('test/e2e/wrong-content.test.ts'),
  inTime: inFile('test/e2e/heads-in-time.test.ts'),
};
