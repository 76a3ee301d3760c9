import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type {
  Candidate,
  CatalogEntry,
  Chunk,
  Head,
  Location,
  Policy,
  SourceHead,
  SourceId,
  StreamError,
  StreamRequest,
} from '../../pipelines/index.ts';
import {
  type LazyFetchDeps,
  lazyFetch,
  OPEN,
  type OpenSource,
  type SourceEvent,
  type StreamEvent,
  type Valve,
} from '../../pipelines/index.ts';

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** Runs a marble test in virtual time; a frame is a millisecond. */
export const marbles = (test: (helpers: RunHelpers) => void): void =>
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(test);

/** The subscription window of a source that is unsubscribed at the end of its result. */
export const untilEndOf = (result: string): string => {
  const frame = result.endsWith(')') ? result.lastIndexOf('(') : result.length - 1;
  return frame === 0 ? '(^!)' : `^${'-'.repeat(frame - 1)}!`;
};

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

export { newDigest } from '../../src/app/compose.ts';

export const anEntry = (more: Partial<CatalogEntry> = {}): CatalogEntry => ({
  path: '/pulp/bear.rpm',
  importerId: '0'.repeat(24),
  unitId: 'unit-bear',
  unitTypeId: 'rpm',
  url: 'http://feed/bear.rpm',
  revision: 1,
  data: {},
  ...more,
});

/** An entry whose content is the text: with its checksum, without its size. */
export const entryOf = (text: string, more: Partial<CatalogEntry> = {}): CatalogEntry =>
  anEntry({ checksum: { algorithm: 'sha256', value: sha256(text) }, ...more });

/** A source by its name, as `sourceName` prints it. */
export const aSource = (name: string): SourceId => {
  const [, kind = '', id = ''] = /^([^:]*):?(.*)$/s.exec(name) ?? [];
  return { kind, id };
};

/** A candidate that may be opened. */
export type Usable = Candidate & Location;

export const aCandidate = (source: string, entry: CatalogEntry, more: Partial<Usable> = {}): Usable => ({
  entry,
  source: aSource(source),
  url: `http://${source}/bear.rpm`,
  ...more,
});

/** A candidate that is known to be unusable. */
export const broken = ({ entry, source, url }: Candidate, problem: StreamError): Candidate => ({
  entry,
  source,
  url,
  problem,
});

/** A found candidate, which must not be broken. */
export const usable = (candidate: Candidate): Usable => {
  if (candidate.problem) throw candidate.problem;
  return candidate;
};

/** The name of the source that `aCandidate` put a location at. */
export const nameAt = ({ url }: Location): string => new URL(url).host;

export const sourceHead = (more: Partial<SourceHead> = {}): SourceHead => ({
  type: 'head',
  headers: [],
  from: 0,
  ...more,
});

export const headOf = (candidate: Candidate, more: Partial<Head> = {}): Head => ({
  type: 'head',
  status: 200,
  headers: [],
  whole: true,
  first: 0,
  candidate,
  verified: false,
  ...more,
});

export const chunk = (text: string): Chunk => ({ type: 'chunk', bytes: bytesOf(text) });

export const aRequest = (more: Partial<StreamRequest> = {}): StreamRequest => ({
  id: 'request-1',
  method: 'GET',
  path: '/pulp/bear.rpm',
  save: true,
  ...more,
});

export const aPolicy = (more: Partial<Policy> = {}): Policy => ({
  cacheTimeout: 86_400_000,
  answerTimeout: 1_000_000,
  headTimeout: 50,
  readTimeout: 50,
  verifyWholeBelow: 0,
  verifyWholeWithin: 1000,
  attempts: 8,
  attemptsPerCandidate: 3,
  retryWait: 10,
  retryWaitLimit: 100,
  minSpeed: 0,
  minSpeedWindow: 100,
  clientTimeout: 0,
  sizeLimit: 0,
  savePartial: false,
  saveAbandoned: false,
  hedge: false,
  ...more,
});

/** A source that pays no attention to its valve. */
export type Unpaused = (...asked: Parameters<OpenSource>) => Observable<SourceEvent>;
export const unpaused =
  (open: Unpaused): OpenSource =>
  (...asked) =>
  () =>
    open(...asked);

/** `lazyFetch` of a request, for a consumer with a valve. Default: it always wants more. */
export const fetched = ({ valve = OPEN, ...request }: Asked, deps: LazyFetchDeps): Observable<StreamEvent> =>
  lazyFetch(aRequest(request), deps)(valve);
export type Asked = Partial<StreamRequest> & { readonly valve?: Valve };

/** Returns one cold observable per call, in order. An unexpected further call fails the test. */
export const inTurn = <T>(...answers: readonly Observable<T>[]): (() => Observable<T>) => {
  let next = 0;
  return () => {
    const answer = answers[next++];
    if (!answer) throw new Error(`called ${next} times, expected at most ${answers.length}`);
    return answer;
  };
};
