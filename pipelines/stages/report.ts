import { asyncScheduler, type SchedulerLike, type Subscriber } from 'rxjs';
import {
  type AttemptReport,
  type Candidate,
  type Chunk,
  type Head,
  isNote,
  type Moment,
  type Note,
  type Noted,
  type Outcome,
  type Progress,
  type Report,
  type StreamError,
  type StreamEvent,
  type StreamRequest,
  sourceName,
  toStreamError,
  type Watch,
} from '../model/index.ts';
import type { Extent } from '../operators/basin.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { Handlers } from '../operators/subscriber.ts';
import { followValve } from '../operators/valve.ts';

interface ReportDeps {
  /** Called exactly once for each request, with any outcome. */
  readonly report?: (report: Report) => void;
  readonly watch?: Watch;
  readonly scheduler?: SchedulerLike;
}

/**
 * Adds the last event, `end`, with the report, and calls `deps.report` exactly once for each
 * request: complete, failed, or left by its consumer. Errors are StreamErrors from here on.
 * `deps.watch` gets the progress, while the request runs.
 */
export const report = (request: StreamRequest, deps: ReportDeps): Stage<Head | Chunk | Note, StreamEvent> =>
  operate((out, valve) => {
    const account = new Account(request, out, deps);
    out.add(account);
    followValve(valve, out, account.moved);
    if (deps.watch) out.add(deps.watch(account));
    return account;
  });

/** Events of one request that are noted for those who watch it. */
const NOTES = 200;

/** What is known of one request, and its report in the end. One object, since each request has one. */
class Account implements Handlers<Head | Chunk | Note>, Progress {
  readonly notes: Noted[] = [];
  head: Head | undefined;
  bytes = 0;
  spill: Extent | undefined;
  resumes = 0;
  replaced = false;
  report: Report | undefined;
  readonly #request: StreamRequest;
  readonly #out: Subscriber<StreamEvent>;
  readonly #deps: ReportDeps;
  readonly #scheduler: SchedulerLike;
  readonly #began: number;
  readonly #attempts: AttemptReport[] = [];
  readonly #timeline: Moment[] = [];
  #serving: Candidate | undefined;
  #firstByte: number | undefined;
  #recorded = false;
  #hasFailed = false;
  #pauses = 0;
  #pausedFor = 0;
  #pausedSince: number | undefined;

  constructor(request: StreamRequest, out: Subscriber<StreamEvent>, deps: ReportDeps) {
    this.#request = request;
    this.#out = out;
    this.#deps = deps;
    this.#scheduler = deps.scheduler ?? asyncScheduler;
    this.#began = this.#scheduler.now();
  }

  get paused(): boolean {
    return this.#pausedSince !== undefined;
  }

  pausedFor(): number {
    return this.#pausedFor + (this.#pausedSince === undefined ? 0 : this.#elapsed() - this.#pausedSince);
  }

  next(event: Head | Chunk | Note): void {
    if (event.type === 'chunk') {
      if (this.bytes === 0) {
        this.#firstByte = this.#elapsed();
        this.#mark('first-byte', '');
      }
      this.bytes += event.bytes.length;
    } else {
      if (this.#deps.watch && this.notes.length < NOTES)
        this.notes.push({ at: this.#elapsed(), sent: this.bytes, event });
      if (isNote(event)) this.#note(event);
      else this.#begin(event);
    }
    this.#out.next(event);
  }

  error(thrown: unknown): void {
    const error = toStreamError(thrown);
    this.#finish('failed', error);
    this.#out.error(error);
  }

  complete(): void {
    this.#out.next({ type: 'end', report: this.#finish('complete') });
    this.#out.complete();
  }

  /** The consumer has unsubscribed, or all is over. */
  unsubscribe(): void {
    if (!this.report) this.#finish('left');
  }

  readonly moved = (open: boolean): void => {
    if (this.report) return;
    if (open) this.#unpause();
    // Before the head a closed valve does not count as a pause: a request may begin before its
    // turn.
    else if (this.head && this.#pausedSince === undefined) {
      this.#pausedSince = this.#elapsed();
      this.#pauses += 1;
    }
  };

  #elapsed(): number {
    return this.#scheduler.now() - this.#began;
  }

  #mark(what: Moment['what'], detail: string): void {
    this.#timeline.push({ at: this.#elapsed(), what, detail });
  }

  #unpause(): void {
    this.#pausedFor = this.pausedFor();
    this.#pausedSince = undefined;
  }

  #begin(head: Head): void {
    this.head = head;
    this.#serving = head.candidate;
    this.replaced = this.#hasFailed;
    this.#mark('head', head.length === undefined ? 'length unknown' : `${head.length} bytes`);
  }

  #note(event: Note): void {
    if (event.type === 'recorded') {
      this.#recorded = true;
      this.#mark('recorded', event.unitId);
      return;
    }
    if (event.type === 'found') {
      const { length } = event.candidates;
      this.#mark('found', `${length} ${length === 1 ? 'candidate' : 'candidates'}`);
      return;
    }
    if (event.type === 'on-disk' && event.basin !== this.head?.basin) this.spill = event.basin;
    if (event.type === 'shared' || event.type === 'behind' || event.type === 'on-disk') {
      this.#mark(event.type, event.type === 'behind' ? `at byte ${event.from}` : '');
      return;
    }
    const { url } = event.candidate;
    const source = sourceName(event.candidate.source);
    if (event.type === 'attempt') {
      this.#attempts.push({ source, url, from: event.from });
      this.#mark('attempt', event.from > 0 ? `${source} from byte ${event.from}` : source);
    } else if (event.type === 'asked') this.#mark('asked', source);
    else if (event.type === 'resumed') {
      this.#serving = event.candidate;
      this.resumes += 1;
      this.#mark('resumed', `${source} at byte ${event.from}`);
    } else {
      this.#hasFailed = true;
      const { code, message } = event.error;
      const failed = this.#attempts.findLastIndex((one) => one.source === source && one.url === url && !one.failure);
      const attempt = this.#attempts[failed];
      if (attempt) this.#attempts[failed] = { ...attempt, failure: { code, message, phase: event.phase } };
      this.#mark('failed', `${source}: ${message}`);
    }
  }

  #finish(outcome: Outcome, error?: StreamError): Report {
    this.#unpause();
    this.#mark('end', outcome);
    const { head } = this;
    const { id, method, path } = this.#request;
    const verified =
      outcome === 'complete' && method === 'GET' && head?.whole && !head.candidate.unproven
        ? head.candidate.entry.checksum?.algorithm
        : undefined;
    const handed = head?.handedOver && { handedOver: true };
    const copy = head?.copy && { copy: head.copy };
    this.report = {
      id,
      method,
      path,
      outcome,
      error,
      bytes: this.bytes,
      source: this.#serving && sourceName(this.#serving.source),
      attempts: this.#attempts,
      verified,
      recorded: this.#recorded,
      timeline: this.#timeline,
      duration: this.#elapsed(),
      firstByte: this.#firstByte,
      pauses: this.#pauses,
      pausedFor: this.#pausedFor,
      ...handed,
      ...copy,
    };
    this.#deps.report?.(this.report);
    return this.report;
  }
}
