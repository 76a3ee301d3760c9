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

/** Delivers a message to a queue. Completes when the broker has confirmed it; errors otherwise. */
export type Publish = (destination: Destination, message: Message) => Observable<never>;

export interface CeleryOptions {
  readonly publish: Publish;
  readonly protocol: CeleryProtocol;
  /** The queue of the message: `resource_manager` if resources are reserved. */
  readonly queue: string;
  /** The task that saves a unit. */
  readonly task: TaskTemplate;
  /** The task that reserves the unit and then queues `task`. Absent: `task` itself is queued. */
  readonly reservation?: string;
  /** Records reserved tasks, as Pulp does. If absent, they are not recorded. */
  readonly taskStatus?: TaskStatus;
  /** See {@link celeryMessage}. */
  readonly origin: string;
}

/**
 * Requests that Celery workers save units. Completes when the broker has confirmed the task.
 * Otherwise it errors, and sets the task's recorded status to `error`. A repeated delivery of a
 * save request sends a task with the same id. Throws if the template of the task is invalid.
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
    // Recorded first: a fast worker might otherwise run a task that is not recorded.
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

/** Only the failure to queue the task is reported, not a failure to write its status. */
const failed = (taskStatus: TaskStatus, task: Task): Observable<never> =>
  from(taskStatus.failed(task).catch(() => {})).pipe(ignoreElements());

/** Headers by which a task is found in logs and traces. */
const headersOf = ({ requestId, traceparent, tracestate }: PendingSaveRequest) => ({
  'x-request-id': requestId,
  ...(traceparent !== undefined && { traceparent }),
  ...(tracestate !== undefined && { tracestate }),
});
