import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import type { Lending } from '../lending.ts';
import { subscriberOf } from '../subscriber.ts';
import { type FlowOperator, Gate } from '../valve.ts';
import { LAWS, type Law } from './laws.ts';
import { LENT, type Lent, misbehaving } from './misbehaving.ts';
import { type Plan, plansFrom, type Step } from './plan.ts';

/** What an operator under test is made with. */
export interface Given {
  /** Virtual time. */
  readonly scheduler: SchedulerLike;
  /** For an operator that holds values: they are lent. */
  readonly lending: Lending<Lent>;
}

/** Makes the operator under test, for one history. It must pass every value on. */
export type OperatorUnderTest = (given: Given) => FlowOperator<Lent, Lent>;

interface Checking {
  /** Histories. Default: 300. */
  readonly runs?: number;
  readonly seed?: number;
  /** The values that the operator itself may hold while the valve is open. Default: 0. */
  readonly holds?: number;
}

/** A law that an operator breaks, and the history that shows it. */
export interface Broken {
  readonly law: Law;
  readonly what: string;
  readonly plan: Plan;
}

/**
 * Checks an operator against the laws of flows, in random histories of a source that misbehaves and
 * a consumer that does what it wants. Throws an Error with the law, and the plan of a history, if it
 * is broken. The same seed leads to the same histories.
 */
export const checkFlow = (operator: OperatorUnderTest, checking: Checking = {}): void => {
  const [first] = brokenBy(operator, checking);
  if (first) throw new Error(`${LAWS[first.law]} ${first.what}: ${JSON.stringify(first.plan)}`);
};

/** The laws that an operator breaks, each with the first history that shows it. */
export const brokenBy = (operator: OperatorUnderTest, checking: Checking = {}): readonly Broken[] => {
  const { runs = 300, seed = 1, holds = 0 } = checking;
  const found = new Map<Law, Broken>();
  const plans = plansFrom(seed);
  const all = Array.from({ length: runs }, () => plans.next().value);
  const run = (plan: Plan, law?: Law) => {
    const broken = new History(plan, operator, holds).run();
    if (broken && !found.has(law ?? broken.law)) found.set(law ?? broken.law, { ...broken, plan });
  };
  for (const { within, ...plain } of all) run(plain);
  // What holds without it is lost by re-entrancy.
  if (found.size === 0) for (const plan of all) if (plan.within) run(plan, 'reentrant');
  return [...found].map(([law, broken]) => ({ ...broken, law }));
};

class History {
  readonly #plan: Plan;
  readonly #holds: number;
  readonly #scheduler = new VirtualTimeScheduler();
  readonly #valve: Gate;
  readonly #source: ReturnType<typeof misbehaving>;
  readonly #operator: FlowOperator<Lent, Lent>;
  #received = 0;
  #ended: 'complete' | 'error' | 'left' | undefined;
  /** How the source has ended. */
  #sourceEnded: 'complete' | 'error' | undefined;
  #broken: { readonly law: Law; readonly what: string } | undefined;
  #leave: () => void = () => {};

  constructor(plan: Plan, operator: OperatorUnderTest, holds: number) {
    this.#plan = plan;
    this.#holds = holds;
    this.#valve = new Gate(plan.open);
    this.#source = misbehaving(plan);
    this.#operator = operator({ scheduler: this.#scheduler, lending: LENT });
  }

  run(): { readonly law: Law; readonly what: string } | undefined {
    // Made before the source starts: it can be left within a value that comes at once.
    const out = subscriberOf<Lent>({
      next: (value) => this.#take(value),
      complete: () => this.#end('complete'),
      error: () => this.#end('error'),
    });
    this.#leave = () => {
      this.#ended ??= 'left';
      out.unsubscribe();
      // A source that is still being made cannot be closed yet.
      if (!beginning && !this.#source.closed) this.#break('left', 'the source runs on');
    };
    let beginning = true;
    this.#operator(this.#source.flow)(this.#valve).subscribe(out);
    beginning = false;
    for (const step of this.#plan.steps) {
      this.#act(step);
      this.#judge();
    }
    this.#settle();
    return this.#broken;
  }

  /** Whatever was held must come once the valve stays open and time passes. */
  #settle(): void {
    if (!this.#ended) {
      this.#act({ do: 'open' });
      this.#act({ do: 'wait', ms: 1_000_000 });
      this.#act({ do: 'complete' });
      this.#act({ do: 'wait', ms: 1_000_000 });
      // The consumer may have closed it once more, within its last value.
      this.#act({ do: 'open' });
      this.#act({ do: 'wait', ms: 1_000_000 });
      if (!this.#ended) this.#break('end', 'the end never came');
    }
    this.#leave();
    if (this.#valve.observed) this.#break('left', 'the valve is still followed');
  }

  #take(value: Lent): void {
    if (!this.#valve.value) this.#break('closed', `value ${value.index} was emitted`);
    if (value.overwritten) this.#break('held', `value ${value.index} was overwritten`);
    else if (value.index !== this.#received)
      this.#break('lossless', `value ${value.index} came in place of ${this.#received}`);
    const index = this.#received;
    this.#received += 1;
    const { within } = this.#plan;
    if (within?.at === index) this.#act(within.step);
  }

  #end(how: 'complete' | 'error'): void {
    this.#ended = how;
    if (this.#sourceEnded !== how) this.#break('end', `${how} came instead of ${this.#sourceEnded ?? 'nothing'}`);
    else if (this.#received < this.#source.pushed)
      this.#break('end', `${how} came after ${this.#received} of ${this.#source.pushed} values`);
  }

  #act(step: Step): void {
    if (step.do === 'open' || step.do === 'close') this.#valve.next(step.do === 'open');
    else if (step.do === 'leave') this.#leave();
    else if (step.do === 'wait') this.#advance(step.ms);
    else if (this.#sourceEnded || this.#ended) return;
    else if (step.do === 'push') this.#source.push(step.count);
    else {
      this.#sourceEnded = step.do;
      if (step.do === 'complete') this.#source.complete();
      else this.#source.error(new Error('on purpose'));
    }
  }

  #judge(): void {
    if (this.#ended) return;
    const behind = this.#source.pushed - this.#received;
    const most = this.#holds + (this.#valve.value ? 0 : this.#plan.leak + this.#plan.atOnce);
    if (behind > most) this.#break('bounded', `${behind} values are held, expected ${most} at most`);
  }

  #advance(ms: number): void {
    const time = this.#scheduler;
    time.maxFrames = time.frame + ms;
    time.schedule(() => {}, ms);
    time.flush();
  }

  #break(law: Law, what: string): void {
    this.#broken ??= { law, what };
  }
}
