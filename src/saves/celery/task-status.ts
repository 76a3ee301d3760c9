import type { Records } from '../deferred/records.ts';
import type { Task } from './message.ts';

/** Pulp 2's list of tasks: its collection `task_status`. */
export interface TaskStatus {
  /** Records a task before it is queued. A task that could not be queued is waiting again. */
  waiting(task: Pick<Task, 'id' | 'name'>, tags: readonly string[]): Promise<void>;
  /** Records that the task could not be queued. */
  failed(task: Pick<Task, 'id'>): Promise<void>;
}

/** Writes the documents of Pulp's `apply_async_with_reservation`. Rejects with driver errors. */
export const taskStatusIn = (records: Records): TaskStatus => ({
  waiting: async ({ id, name }, tags) => {
    await records.updateOne(
      { task_id: id },
      {
        $set: {
          task_type: name,
          tags,
          group_id: null,
          worker_name: null,
          error: null,
          spawned_tasks: [],
          progress_report: {},
          finish_time: null,
          result: null,
          exception: null,
          traceback: null,
        },
        $setOnInsert: { state: 'waiting', start_time: null, _ns: 'task_status' },
      },
      { upsert: true },
    );
    await records.updateOne({ task_id: id, state: 'error', start_time: null }, { $set: { state: 'waiting' } });
  },
  failed: async ({ id }) => {
    await records.updateOne({ task_id: id, start_time: null }, { $set: { state: 'error' } });
  },
});
