import type { Connection } from '../connection.ts';
import type { Dial } from './dial.ts';
import { lost } from './errors.ts';
import { Job } from './job.ts';
import { type Line, openLine } from './line.ts';
import { requestText } from './request.ts';

/**
 * Requests of GET and HEAD over HTTP/1.1, one at a time. A connection is used again only after a
 * response that ended exactly where its head said. A request that a kept connection did not answer
 * is sent once more, over a new one: servers close unused connections at any time (RFC 9112 section
 * 9.3.1), and some send more of the response before than its head said, perhaps after the request.
 */
export const http1Connection = (dial: Dial, idleTimeout: number): Connection => {
  let line: Line | undefined;
  /** The line has carried a whole response. */
  let isKept = false;
  let running: Job | undefined;
  /** A request was given and is not over. It may not run yet. */
  let isBusy = false;
  let isClosed = false;
  let idle: NodeJS.Timeout | undefined;
  /** Milliseconds that the line may be unused, and those that `idle` was made for. */
  let keepFor = idleTimeout;
  let idleAfter = 0;

  const hangUp = () => {
    line?.close();
    line = undefined;
    isKept = false;
  };

  const free = (job: Job) => {
    running = undefined;
    isBusy = false;
    job.done();
    if (line && !isBusy) rest();
  };

  /** Closes the line unless it is used again in time. */
  const rest = () => {
    line?.holdProcess(false);
    if (idle && idleAfter === keepFor) return idle.refresh();
    clearTimeout(idle);
    idleAfter = keepFor;
    idle = setTimeout(() => {
      if (!isBusy) hangUp();
    }, keepFor).unref();
    return idle;
  };

  const fail = (job: Job, error: unknown) => {
    hangUp();
    free(job);
    job.fail(error);
  };

  const complete = (job: Job, mayKeep: boolean) => {
    const { framing } = job.reader;
    if (framing?.keepAlive && mayKeep && !isClosed) {
      isKept = true;
      keepFor = Math.min(idleTimeout, framing.idle ?? idleTimeout);
      line?.resume();
    } else hangUp();
    free(job);
    job.complete();
  };

  const read = (bytes: Buffer) => {
    const job = running;
    // Nothing was requested. The next response must not be taken for this.
    if (!job) return hangUp();
    let taken = 0;
    try {
      taken = job.reader.read(bytes);
    } catch (error) {
      if (running !== job) return;
      if (!isKept || job.reader.framing) return fail(job, error);
      hangUp();
      job.startOver();
      start(job);
      return;
    }
    if (running === job && job.reader.hasEnded) complete(job, taken === bytes.length);
  };

  const open = (): Line =>
    openLine(dial, {
      bytes: read,
      gathers: (waiting) => running?.reader.framing !== undefined && !running.reader.hasAtMost(waiting),
      rests: () => !isBusy,
      closed: (how) => {
        const job = running;
        const mayRepeat = isKept && job?.reader.isUntouched;
        hangUp();
        if (!job) return;
        if (mayRepeat) return start(job);
        const error = 'error' in how ? how.error : job.reader.close(how.ownEnd);
        if (error) fail(job, error);
        else complete(job, false);
      },
    });

  const start = (job: Job) => {
    running = job;
    if (line) line.holdProcess(true);
    else line = open();
    line.write(job.text);
  };

  const control = {
    pause: () => line?.pause(),
    resume: () => line?.resume(),
    drop: (job: Job) => {
      // Before it was sent there is nothing to close.
      if (running !== job) return;
      hangUp();
      free(job);
    },
  };

  return {
    send: (request, listener, done) => {
      isBusy = true;
      const job = new Job(request.method, listener, done, control);
      process.nextTick(() => {
        if (job.isOver) return free(job);
        if (isClosed) return fail(job, lost('the connections to feeds are closed'));
        try {
          job.text = requestText(request);
        } catch (error) {
          free(job);
          return job.fail(error);
        }
        start(job);
      });
      return job;
    },
    close: async () => {
      isClosed = true;
      clearTimeout(idle);
      if (running) fail(running, lost('the connections to feeds were closed'));
      hangUp();
    },
  };
};
