import { catchError, concat, defer, from, ignoreElements, type Observable, throwError } from 'rxjs';
import type { Dispatch, PendingSaveRequest } from '../../../pipelines/model/index.ts';
import {
  type CeleryProtocol,
  celeryMessage,
  type Destination,
  destinationOf,
  type Message,
  type Task,
} from './message.ts';
import { checkTemplate, reservedTask, saveTask, type TaskTemplate, tagsOf } from './save-task.ts';
import type { TaskStatus } from './task-status.ts';

/** Brings a message to a queue: completes when the broker has confirmed it, errors where it has not. */
export type Publish = (destination: Destination, message: Message) => Observable<never>;

export interface CeleryOptions {
  readonly publish: Publish;
  readonly protocol: CeleryProtocol;
  /** The queue that the message goes to: `resource_manager` where resources are reserved. */
  readonly queue: string;
  /** The task that saves a unit. */
  readonly task: TaskTemplate;
  /** The name of the task that reserves the unit and then queues `task`; absent: `task` is queued itself. */
  readonly reservation?: string;
  /** Where reserved tasks are noted, as Pulp does; absent: nowhere. */
  readonly taskStatus?: TaskStatus;
  /** See {@link celeryMessage}. */
  readonly origin: string;
}

/**
 * Asks Celery workers to save units. Completes when the broker has confirmed the task. Errors where it has not, with the task's status, if it
 * is noted, set to `error`. A wish that is dispatched again sends a task of the same id. Throws where the task's template is wrong.
 */
export const createCeleryDispatch = (options: CeleryOptions): Dispatch => {
  checkTemplate(options.task);
  const { publish, protocol, queue, reservation, taskStatus, origin } = options;
  const send = (save: PendingSaveRequest, task: Task) =>
    publish(destinationOf(protocol, queue), celeryMessage(task, { protocol, origin, headers: headersOf(save) }));

  return (save) => {
    const task = saveTask(save, options.task);
    if (reservation === undefined) return send(save, task);
    const sent = send(save, reservedTask(save, task, reservation));
    if (!taskStatus) return sent;
    // Noted first: a worker that is quick would otherwise begin a task that nobody knows of.
    return concat(
      defer(() => taskStatus.waiting(task, tagsOf(save.entry))).pipe(ignoreElements()),
      sent.pipe(
        catchError((error: unknown) =>
          concat(
            failed(taskStatus, task),
            throwError(() => error),
          ),
        ),
      ),
    );
  };
};

/** Why the task could not be queued is the error that counts; a status that cannot be written either adds nothing to it. */
const failed = (taskStatus: TaskStatus, task: Task): Observable<never> =>
  from(taskStatus.failed(task).catch(() => {})).pipe(ignoreElements());

/** By these a task is found again in logs and traces. */
const headersOf = ({ requestId, traceparent }: PendingSaveRequest) => ({
  'x-request-id': requestId,
  ...(traceparent !== undefined && { traceparent }),
});
