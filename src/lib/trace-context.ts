import { membersOf } from '../../pipelines/model/index.ts';

/** The context of a trace, as two header fields carry it: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Version, trace id, parent id, flags. Later versions may add more after a hyphen. */
const PARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** `vendor`, or `tenant@vendor`. */
const KEY = /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z0-9][a-z0-9_\-*/]{0,13})$/;
/** Printable ASCII without commas and equals signs; the last is not a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The most members of a list, and the characters of it that are passed on in any case. */
const MEMBERS = 32;
const ENOUGH = 512;
/** Members above this length are the first to be dropped from a longer list. */
const LONG = 128;

const NONE: TraceContext = {};

/**
 * The context in a request's fields, read strictly. A malformed `traceparent`, or a repeated one,
 * counts as absent, and `tracestate` with it. A malformed `tracestate` counts as absent.
 */
export const traceContextOf = (
  traceparent: string | readonly string[] | undefined,
  tracestate: string | readonly string[] | undefined,
): TraceContext => {
  if (traceparent === undefined) return NONE;
  const [, version, more] = (typeof traceparent === 'string' && PARENT.exec(traceparent)) || [];
  if (version === undefined || (version === '00' && more !== undefined)) return NONE;
  const parent = { traceparent: traceparent.toString() };
  const state = tracestate === undefined ? undefined : stateOf(tracestate.toString());
  return state === undefined ? parent : { ...parent, tracestate: state };
};

/** The members of a list, of which some may be empty. */
const stateOf = (text: string): string | undefined => {
  const members = membersOf(text);
  const keys = members.map((member) => member.slice(0, Math.max(0, member.indexOf('='))));
  const isWell = members.every((member, index) => {
    const key = keys[index] ?? '';
    return KEY.test(key) && VALUE.test(member.slice(key.length + 1));
  });
  if (!isWell || members.length > MEMBERS || new Set(keys).size < keys.length) return undefined;
  return shortened(members).join(',') || undefined;
};

const shortened = (members: readonly string[]): readonly string[] => {
  if (members.join(',').length <= ENOUGH) return members;
  let length = -1;
  return members.filter((member) => {
    if (member.length > LONG || length + 1 + member.length > ENOUGH) return false;
    length += 1 + member.length;
    return true;
  });
};
