import { read } from 'node:fs';
import { promisify } from 'node:util';
import { concat, defer, EMPTY, ignoreElements, mergeMap, Observable, of, repeat, takeWhile } from 'rxjs';
import { closeFd, openFd } from './files.ts';

const readFd = promisify(read);
const READ = 256 * 1024;

/** Completes when the next portion may be read, after one of that many bytes. */
export type Pace = (bytes: number) => Observable<unknown>;

/**
 * Emits the content of a file in portions, and completes at its end. Each portion is valid during
 * the call that delivers it: all share one buffer. The next one is read when `pace` completes.
 * Errors with the system's error. Unsubscribing closes the file, at the latest when the running
 * operation returns.
 */
export const readWhole = (path: string, pace: Pace = () => EMPTY): Observable<Uint8Array> =>
  new Observable((out) => {
    const opening = openFd(path, 'r');
    let running: Promise<unknown> = opening;
    // A file that is closed during a read could be another one by then.
    out.add(() => void running.then(ignore, ignore).then(() => opening.then(closeFd).catch(ignore)));

    const buffer = Buffer.allocUnsafe(READ);
    const portion = (fd: number) =>
      defer(() => {
        const reading = readFd(fd, buffer, 0, READ, null);
        running = reading;
        return reading;
      }).pipe(
        mergeMap(({ bytesRead }) =>
          concat(of(buffer.subarray(0, bytesRead)), bytesRead > 0 ? pace(bytesRead).pipe(ignoreElements()) : EMPTY),
        ),
      );
    out.add(
      defer(() => opening)
        .pipe(
          mergeMap((fd) => portion(fd).pipe(repeat())),
          takeWhile(({ length }) => length > 0),
        )
        .subscribe(out),
    );
  });

/** Nothing depends on the result: the file is open for reading only. */
const ignore = (): void => {};
