import { hash } from 'node:crypto';
import type { CatalogEntry, PendingSaveRequest } from '../../../pipelines/model/index.ts';
import { uuidOf } from '../../lib/uuid.ts';
import type { Task } from './message.ts';

/**
 * A template in JSON. In its texts, `{name}` stands for a value of the unit. The text `{entry}`
 * stands for the catalog entry.
 */
export interface TaskTemplate {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** The task that saves one unit. */
export const saveTask = (save: PendingSaveRequest, { name, args, kwargs }: TaskTemplate): Task => {
  const fill = filler(save);
  return {
    id: taskId('save', save),
    name,
    args: args.map(fill),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, fill(value)])),
  };
};

/**
 * The task with which Pulp 2 reserves a resource before it queues another task, as sent by
 * `apply_async_with_reservation`. Tasks with the same resource never run at the same time.
 */
export const reservedTask = (save: PendingSaveRequest, inner: Task, name: string): Task => ({
  id: taskId('reservation', save),
  name,
  args: [inner.name, inner.id, resourceOf(save.entry), callOf(inner), { tags: tagsOf(save.entry) }],
  kwargs: {},
});

/** The positional arguments of Celery's `apply_async`. */
const callOf = ({ args, kwargs }: Task): readonly unknown[] =>
  Object.keys(kwargs).length > 0 ? [args, kwargs] : [args];

/** The reserved resource: only one task at a time may save a unit to a path. */
const resourceOf = ({ unitId, path }: CatalogEntry): string => `content_unit:${unitId}:${path}`;

/** The tags by which operators find a task. */
export const tagsOf = ({ unitId }: CatalogEntry): readonly string[] => [
  `pulp:content_unit:${unitId}`,
  'pulp:action:download',
];

/** An entry in the field names of Pulp's `lazy_content_catalog`. Unknown values are omitted. */
const documentOf = (entry: CatalogEntry): Record<string, unknown> => ({
  path: entry.path,
  importer_id: entry.importerId,
  unit_id: entry.unitId,
  unit_type_id: entry.unitTypeId,
  url: entry.url,
  ...(entry.checksum && { checksum: entry.checksum.value, checksum_algorithm: entry.checksum.algorithm }),
  ...(entry.size !== undefined && { size: entry.size }),
  revision: entry.revision,
  data: entry.data,
});

const WORDS = {
  path: ({ entry }) => entry.path,
  unit_id: ({ entry }) => entry.unitId,
  unit_type_id: ({ entry }) => entry.unitTypeId,
  importer_id: ({ entry }) => entry.importerId,
  url: ({ entry }) => entry.url,
  request_id: ({ requestId }) => requestId,
} as const satisfies Record<string, (save: PendingSaveRequest) => string>;

const isWord = (word: string): word is keyof typeof WORDS => Object.hasOwn(WORDS, word);
const PLACEHOLDER = /\{(\w+)\}/g;

const filler = (save: PendingSaveRequest) => {
  const fill = (value: unknown): unknown => {
    if (value === '{entry}') return documentOf(save.entry);
    if (typeof value === 'string')
      return value.replace(PLACEHOLDER, (whole, word: string) => (isWord(word) ? WORDS[word](save) : whole));
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  return fill;
};

/** Throws an error that names an unknown `{name}` in a template. */
export const checkTemplate = ({ args, kwargs }: Pick<TaskTemplate, 'args' | 'kwargs'>): void => {
  const check = (value: unknown): void => {
    if (typeof value === 'string' && value !== '{entry}') {
      for (const [whole, word = ''] of value.matchAll(PLACEHOLDER)) {
        if (isWord(word)) continue;
        const known = [...Object.keys(WORDS), 'entry (as the entire text)'].join(', ');
        throw new Error(`unknown placeholder ${whole}, expected one of ${known}`);
      }
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(check);
  };
  check(args);
  check(kwargs);
};

/**
 * The task id of a save request, the same for each delivery. So a task that was sent twice, after a
 * crash lost the confirmation, is recognizable as one task.
 */
const taskId = (role: string, { id, requestId, entry }: PendingSaveRequest): string =>
  uuidOf(hash('sha256', JSON.stringify([role, id, requestId, entry.unitId, entry.path]), 'hex'));
