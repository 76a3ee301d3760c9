import { setTimeout } from 'node:timers/promises';
import { type Client, createClient } from './client.ts';
import type { Version } from './content.ts';
import { describeAnswer, describeStep, describeVersion } from './describe.ts';
import { fieldOf } from './fields.ts';
import { judge } from './judge.ts';
import type { Step, Story } from './plan.ts';
import { type Asked, type RequestPlan, stated, type Validators, WHOLE } from './requests.ts';
import type { Answer } from './response.ts';
import type { Scene } from './scene.ts';
import { createSubject } from './subject.ts';
import type { Category, Verdict } from './verdict.ts';

/** The server that clients ask: a cache, or the streamer itself. */
export interface End {
  readonly name: string;
  readonly url: string;
  /** Seconds for which it keeps parts of files; absent if it keeps whole files. */
  readonly parts?: number;
}

/** A wrong answer, and its history. */
export interface Finding {
  readonly end: string;
  readonly category: Category;
  readonly what: string;
  readonly seed: number;
  readonly story: number;
  readonly step: number;
  readonly history: readonly string[];
}

export interface Stage {
  readonly scene: Scene;
  readonly end: End;
  /** Seconds that the streamer lets caches keep a response. */
  readonly keeps: number;
  /** The name of this play in its path, so that a story can be played again. */
  readonly take: string;
  found(finding: Finding): void;
  /** Called with the answer to each request, and the verdict. */
  answered(answer: Answer, verdict: Verdict): void;
}

/** A story that is played at one end. */
export interface Play {
  /** Plays these steps. */
  play(steps: readonly number[]): Promise<void>;
  close(): void;
}

/** A request, and its answer. */
interface Exchange {
  readonly asked: Asked;
  readonly answer: Answer;
  readonly began: number;
  readonly text: string;
}

/** Milliseconds that a cache may keep longer, because it counts whole seconds. */
const ROUNDING = 1_100;

/** The longest duration of a transfer, in milliseconds. */
const UNDER_WAY = 5_000;

/** The name of the streamer as an end. */
export const ALONE = 'streamer';

/** Whether a request was served. The content of an older row does not count. */
const isServed = (verdict: Verdict): boolean => verdict.kind === 'right' && !verdict.outdated;

/** Begins a story: starts its feeds, and lists its path in the catalog. */
export const beginStory = async (story: Story, stage: Stage): Promise<Play> => {
  const { scene, end, keeps } = stage;
  const { seed, index, kind, versions } = story;
  const subject = await createSubject(`/${end.name}/${seed}/${stage.take}${index}/${kind.name}`, story, scene);
  const { path, truth } = subject;
  const throughEnd = createClient(end.url);
  const toStreamer = createClient(scene.url);
  const isAlone = end.url === scene.url;
  const history: string[] = [JSON.stringify(kind), ...versions.map(describeVersion)];
  const validators = new Map<Version, Validators>();

  const exchange = async (plan: RequestPlan, client: Client, extra: RequestPlan['fields'] = []): Promise<Exchange> => {
    const began = performance.now();
    const { method, http, range, query, connection, leaves } = plan;
    const known = (version: Version) => ({ ...version, ...validators.get(version) });
    const named = subject.named();
    const conditions = plan.conditions.map((one) => [one.field, stated(one, named, known)] as const);
    const fields = [
      ...(range ? [['Range', range.text] as const] : []),
      ...conditions.map(([field, { text }]) => [field, text] as const),
      ...plan.fields,
      ...extra,
    ];
    const left = leaves === undefined ? {} : { leaves };
    const answer = await client.ask({ method, http, target: path + query, fields, ...left }, connection);
    return {
      asked: { method, http, ...(range && { range }), conditions: Object.fromEntries(conditions) },
      answer,
      began,
      text: `${method} HTTP/${http} ${fields.map((field) => field.join(': ')).join(' | ')}`,
    };
  };

  /** Milliseconds for which the end may keep what it has. */
  const during = Math.min(keeps, end.parts ?? keeps) * 1000 + ROUNDING;

  const verdictOf = ({ asked, answer, began }: Exchange, cached: boolean): Verdict => {
    const now = performance.now();
    // The streamer itself compares dates exactly.
    const alone = () => truth.admissible(began, now).map((one) => ({ ...one, kept: false }));
    const admissible = cached ? truth.kept(began, now, during) : alone();
    // A request that joins a transfer under way gets the content of its beginning.
    const passedOff = truth.passedOff(began - (answer.end === 'whole' ? 0 : UNDER_WAY), now);
    return judge(asked, answer, { admissible, versions, passedOff, cached });
  };

  const remember = ({ answer }: Exchange, verdict: Verdict) => {
    if (verdict.kind !== 'right' || !verdict.version) return;
    const [etag, lastModified] = [fieldOf(answer, 'etag'), fieldOf(answer, 'last-modified')];
    validators.set(verdict.version, { ...(etag && { etag }), ...(lastModified && { lastModified }) });
  };

  const report = (step: number, where: string, category: Category, what: string) => {
    history.push(`  !! ${category}: ${what}`);
    const account = scene.account(path);
    stage.found({ end: where, category, what, seed, story: index, step, history: [...history, ...account] });
  };

  /**
   * Sends a planned request. If it fails, resolves to a function that finds out whether it had to.
   */
  const askOne = async (step: number, plan: RequestPlan): Promise<(() => Promise<void>) | undefined> => {
    if (plan.delay > 0) await setTimeout(plan.delay);
    const direct = plan.direct || isAlone;
    const done = await exchange(plan, direct ? toStreamer : throughEnd);
    const verdict = verdictOf(done, !direct);
    stage.answered(done.answer, verdict);
    history.push(`${step}: ${direct ? 'directly ' : ''}${done.text} → ${describeAnswer(done.answer)}`);
    remember(done, verdict);
    if (verdict.kind === 'wrong') report(step, direct ? ALONE : end.name, verdict.category, verdict.what);
    return verdict.kind === 'failed' && !direct ? () => compare(step, plan, verdict.what, done) : undefined;
  };

  /** Compares a failure with the answer of the streamer alone to the same request. */
  const compare = async (step: number, plan: RequestPlan, what: string, { answer, began: since }: Exchange) => {
    const { leaves: _, ...complete } = plan;
    const same: RequestPlan = { ...complete, connection: 'new' };
    // Squid names the version of its client, which may change the answer of the streamer.
    const via: RequestPlan['fields'] = plan.http === '1.0' ? [['Via', '1.0 control']] : [];
    const done = await exchange(same, toStreamer, via);
    const verdict = verdictOf(done, false);
    if (verdict.kind === 'wrong') report(step, ALONE, verdict.category, verdict.what);
    if (!isServed(verdict)) return;
    // The end has to break off if it has parts of two versions.
    const kept = new Set(truth.kept(since, performance.now(), during).map(({ version }) => version));
    if (end.parts !== undefined && kept.size > 1) return;
    // The streamer looks for a length for a limited time, which may be too short on a busy machine.
    const isTimed = fieldOf(answer, 'proxy-status')?.includes('LENGTH_UNKNOWN') ?? false;
    if (isTimed || truth.failing(since - UNDER_WAY, performance.now())) {
      // A cache that fetches the whole for a part, a head or a condition meets more faults than these.
      if (!isServed(verdictOf(await exchange(WHOLE, toStreamer, via), false))) return;
      // The streamer may have kept a copy since then.
      if (verdictOf(await exchange(same, throughEnd), true).kind !== 'failed') return;
    }
    report(step, end.name, 'needless failure', `${what}; the streamer alone: ${describeAnswer(done.answer)}`);
  };

  const perform = async (number: number, step: Step): Promise<void> => {
    if (step.what !== 'ask') history.push(`${number}: ${describeStep(step)}`);
    if (step.what === 'ask') {
      subject.rest(step.rest);
      const comparisons = await Promise.all(step.requests.map((plan) => askOne(number, plan)));
      for (const comparison of comparisons) await comparison?.();
    } else if (step.what === 'expire' && keeps < 10) await setTimeout(keeps * 1000 + ROUNDING + 50);
    else if (step.what === 'replace') subject.replace(step.row, step.lags);
    else if (step.what === 'change') subject.change();
    else if (step.what === 'fault') subject.fail(step.fault);
    else if (step.what === 'elsewhere')
      await toStreamer.ask({ method: 'GET', http: '1.1', target: subject.elsewhere(), fields: [] }, 'new');
  };

  return {
    play: async (steps) => {
      for (const number of steps) await perform(number, story.steps[number]!);
    },
    close: () => {
      throughEnd.close();
      toStreamer.close();
      subject.close();
    },
  };
};
