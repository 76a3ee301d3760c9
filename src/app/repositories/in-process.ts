import { fork } from 'node:child_process';
import { Observable } from 'rxjs';
import type { RefreshProgress } from '../../../pipelines/index.ts';
import type { RefreshResult } from '../../catalog/refresh-repository.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { putLast } from '../../lib/put-last.ts';
import type { Message } from './messages.ts';
import { PROGRAM } from './program.ts';

/**
 * Refreshes a repository in a process of its own, since publishing a hundred thousand entries takes
 * seconds. Emits progress; completes when the new revision counts. Unsubscribing ends the process.
 * `suite`: another suite of a Debian repository, which belongs to it from then on. `refreshed` is
 * called with the result.
 */
export const inProcess = (
  settings: Settings,
  repository: StoredRepository,
  refreshed: (repository: StoredRepository, result: RefreshResult) => void,
  suite?: string,
): Observable<RefreshProgress> =>
  new Observable((subscriber) => {
    const child = fork(PROGRAM, {
      serialization: 'advanced',
      execArgv: ['--disable-sigusr1', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    putLast(child.pid);
    child.on('message', (message: Message) => {
      if (message.type === 'progress') {
        const { items: units, ...progress } = message.progress;
        subscriber.next({ units, ...progress });
      } else if (message.type === 'failed') subscriber.error(new Error(message.message));
      else {
        const { packages, metadata } = message.result;
        refreshed(repository, message.result);
        subscriber.next({ units: packages + metadata, file: '', bytes: 0 });
        subscriber.complete();
      }
    });
    child.on('error', (error) => subscriber.error(error));
    child.on('exit', (code, signal) =>
      subscriber.error(new Error(`the process that imports ended: ${signal ?? `status ${code}`}`)),
    );
    const { prefix, importerId } = repository;
    child.send({ settings, repository: { prefix, importerId }, suite }, (error) => error && subscriber.error(error));
    return () => child.kill('SIGKILL');
  });
