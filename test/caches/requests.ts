import type { Random } from '../faults/random.ts';
import type { Version } from './content.ts';
import { anyRange, type RangeAsk } from './ranges.ts';

/**
 * The version whose validator a client sends: the newest, a replaced one, a future one, or none. For
 * `none` a date is earlier than all others, for `late` it is later.
 */
export type Whose = 'current' | 'previous' | 'next' | 'none' | 'late';

type ConditionField = 'If-None-Match' | 'If-Match' | 'If-Modified-Since' | 'If-Unmodified-Since' | 'If-Range';

/** A condition as it is planned. Its text follows from the versions at the time of the request. */
interface ConditionPlan {
  readonly field: ConditionField;
  readonly form: 'tag' | 'weak' | 'date' | 'list' | '*';
  readonly whose: Whose;
}

/** A request as it is planned. */
export interface RequestPlan {
  readonly method: 'GET' | 'HEAD';
  readonly http: '1.0' | '1.1';
  readonly connection: 'new' | 'kept';
  readonly range?: RangeAsk;
  readonly conditions: readonly ConditionPlan[];
  readonly fields: readonly (readonly [string, string])[];
  readonly query: string;
  /** Closes the connection after this many bytes. */
  readonly leaves?: number;
  /** Milliseconds after the concurrent requests. */
  readonly delay: number;
  /** Passes the cache by. */
  readonly direct: boolean;
}

/** The validators that a client sends in a condition. */
export interface Stated {
  readonly text: string;
  /** The entity tags in it; `*` for any. */
  readonly tags: readonly string[];
  readonly date?: number;
  /** The version that they belong to; absent if the client invented them. */
  readonly version?: Version;
}

/** A request, with the versions that its conditions refer to. */
export interface Asked {
  readonly method: 'GET' | 'HEAD';
  readonly http: '1.0' | '1.1';
  readonly range?: RangeAsk;
  readonly conditions: Readonly<Partial<Record<ConditionField, Stated>>>;
}

const WHOSE: readonly (readonly [number, Whose])[] = [
  [5, 'current'],
  [4, 'previous'],
  [1, 'next'],
  [3, 'none'],
  [1, 'late'],
];

const anyCondition = (random: Random, ranged: boolean): ConditionPlan => {
  const whose = random.weighed(WHOSE);
  const form = random.weighed<ConditionPlan['form']>([
    [6, 'tag'],
    [1, 'weak'],
    [1, 'list'],
    [1, '*'],
  ]);
  const field = random.weighed<ConditionField>([
    [ranged ? 2 : 6, 'If-None-Match'],
    [ranged ? 1 : 4, 'If-Modified-Since'],
    [ranged ? 8 : 0.3, 'If-Range'],
    [1, 'If-Match'],
    [1, 'If-Unmodified-Since'],
  ]);
  if (field === 'If-Range') return { field, form: random.chance(0.7) ? 'tag' : 'date', whose };
  return { field, form: field.endsWith('Since') ? 'date' : form, whose };
};

/** Other fields that package managers, browsers and resuming clients send. */
const anyFields = (random: Random): RequestPlan['fields'] =>
  random.weighed<RequestPlan['fields']>([
    [14, []],
    [2, [['Cache-Control', 'no-cache']]],
    [1, [['Cache-Control', 'max-age=0']]],
    [
      1,
      [
        ['Pragma', 'no-cache'],
        ['Cache-Control', 'no-cache'],
      ],
    ],
    [2, [['Accept-Encoding', 'gzip, br']]],
    [1, [['Authorization', 'Basic eDp5']]],
    [1, [['Cookie', 'a=b']]],
  ]);

/** Any request for content of about this length. */
export const anyRequest = (random: Random, length: number): RequestPlan => {
  const plain = random.chance(0.3);
  const method = random.chance(0.08) ? 'HEAD' : 'GET';
  // Servers disagree on a range of a HEAD, and no known client requests one.
  const range = !plain && method === 'GET' && random.chance(0.55) ? anyRange(random, length) : undefined;
  const count = plain ? 0 : random.weighed([[range ? 5 : 1, 0] as const, [5, 1] as const, [0.6, 2] as const]);
  const conditions = Array.from({ length: count }, () => anyCondition(random, range !== undefined));
  return {
    method,
    http: random.chance(0.08) ? '1.0' : '1.1',
    connection: random.chance(0.3) ? 'kept' : 'new',
    ...(range && { range }),
    // Each field is sent once.
    conditions: conditions.filter(({ field }, at) => conditions.findIndex((other) => other.field === field) === at),
    fields: anyFields(random),
    query: random.chance(0.03) ? '?a=b' : '',
    ...(random.chance(0.07) && { leaves: random.chance(0.3) ? 0 : random.whole(0, length) }),
    delay: random.whole(0, 15),
    direct: random.chance(0.06),
  };
};

/** A request of a client that has a version, and asks for the newest. */
export const anyRevalidation = (random: Random): RequestPlan => {
  const whose = random.weighed<Whose>([
    [4, 'current'],
    [1, 'previous'],
  ]);
  const form = random.weighed<ConditionPlan['form']>([
    [4, 'tag'],
    [1, 'list'],
    [1, '*'],
    [2, 'date'],
  ]);
  const field = form === 'date' ? 'If-Modified-Since' : 'If-None-Match';
  return { ...WHOLE, conditions: [{ field, form, whose }] };
};

/** The plain request for the whole file. */
export const WHOLE: RequestPlan = {
  method: 'GET',
  http: '1.1',
  connection: 'new',
  conditions: [],
  fields: [],
  query: '',
  delay: 0,
  direct: false,
};

/** The validators of a version that clients remember. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/**
 * The condition at the time of the request. `known` returns the validators that clients remember.
 */
export const stated = (
  { form, whose }: ConditionPlan,
  versions: Readonly<Partial<Record<Whose, Version>>>,
  known: (version: Version) => Validators,
): Stated => {
  const version = versions[whose];
  const { etag, lastModified } = version ? known(version) : {};
  if (form === 'date') {
    const text = lastModified ?? (whose === 'late' ? LATE : NEVER);
    // No client has the next version yet, so its date refers to no version.
    const has = lastModified !== undefined && whose !== 'next';
    return { text, tags: [], date: Date.parse(text), ...(has && version && { version }) };
  }
  if (form === '*') return { text: '*', tags: ['*'] };
  const tag = etag ?? '"never-was"';
  const tags = form === 'list' ? ['"never-was"', tag] : [form === 'weak' ? `W/${tag.replace(/^W\//, '')}` : tag];
  return { text: tags.join(', '), tags, ...(etag !== undefined && version && { version }) };
};

/** Dates that no version has: before and after all of them. */
const NEVER = 'Tue, 06 Mar 2012 01:02:03 GMT';
const LATE = 'Sat, 01 Mar 2025 01:02:03 GMT';
