import { hasNone, isKnown, isRefused, opaque } from './conditions.ts';
import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import { rangeOf } from './multipart.ts';
import { judgeParts } from './parts.ts';
import { isContinued, isCut, judgeFields, likeness, wrongFields } from './representation.ts';
import type { Asked } from './requests.ts';
import type { Answer } from './response.ts';
import { type Circumstances, failed, namesOf, right, type Verdict, wrong } from './verdict.ts';

/** Compares an answer with the versions that were valid while it arrived. */
export const judge = (asked: Asked, answer: Answer, circumstances: Circumstances): Verdict => {
  const { status, end, problems } = answer;
  if (problems.length > 0) return wrong('malformed', problems.join('; '));
  if (end !== 'whole') return judgeBroken(asked, answer, circumstances);
  if (asked.method === 'HEAD' && status === 200) return judgeHead(answer, circumstances);
  if (status === 200) return judgeWhole(answer, circumstances);
  if (status === 206) return judgeParts(asked, answer, circumstances);
  if (status === 304) return judgeUnchanged(asked, answer, circumstances);
  const { admissible, cached } = circumstances;
  if (status === 412 && admissible.some(({ version }) => isRefused(asked, version, cached))) return right();
  if (status === 416 && admissible.some(({ version }) => hasNone(asked, version))) return right();
  return failed(String(status));
};

const judgeWhole = (answer: Answer, { admissible, versions, cached }: Circumstances): Verdict => {
  const { body, untilClose } = answer;
  const fitting = admissible.filter(({ version }) => version.bytes.equals(body));
  const mayBeKept = !fieldOf(answer, 'cache-control')?.includes('no-store');
  if (!cached && mayBeKept && fieldOf(answer, 'content-length') === undefined)
    return wrong('cacheable without a length', `${body.length} bytes`);
  if (fitting.length > 0) return judgeFields(answer, fitting);
  const old = versions.find(({ bytes }) => bytes.equals(body));
  if (old && wrongFields(answer, old, []).includes('etag'))
    return wrong('wrong tag', `${old.name} with etag ${fieldOf(answer, 'etag')}`);
  if (old) return wrong('expired body', `${old.name}; expected ${namesOf(admissible)}`);
  const short = versions.find(({ bytes }) => body.length < bytes.length && bytes.subarray(0, body.length).equals(body));
  if (short) {
    const how = untilClose ? 'the connection ended' : 'as if whole';
    return wrong('truncated body', `${body.length} of ${short.bytes.length} bytes of ${short.name}, ${how}`);
  }
  return wrong('wrong body', `${body.length} bytes, ${likeness(body, versions)}`);
};

const judgeUnchanged = (asked: Asked, answer: Answer, { admissible }: Circumstances): Verdict => {
  const stated = fieldOf(answer, 'etag');
  const known = admissible.filter((one) => isKnown(asked, one));
  if (known.length === 0) return wrong('wrong 304', `expected ${namesOf(admissible)}`);
  if (stated === undefined || known.some(({ version }) => opaque(version.etag) === opaque(stated))) return right();
  return wrong('wrong 304', `of ${stated}, expected ${namesOf(known)}`);
};

const judgeHead = (answer: Answer, { admissible, versions, passedOff }: Circumstances): Verdict => {
  const length = fieldOf(answer, 'content-length');
  const isLength = ({ bytes }: { readonly bytes: Buffer }) => length === undefined || Number(length) === bytes.length;
  const fitting = admissible.filter(
    ({ version }) => isLength(version) || passedOff.some((other) => other.as === version && isLength(other)),
  );
  if (fitting.length === 0 && !versions.some(isLength))
    return wrong('wrong HEAD', `Content-Length ${length}; expected ${namesOf(admissible)}`);
  const verdict = judgeFields(answer, fitting, passedOff);
  const old = versions.find((version) => isLength(version) && wrongFields(answer, version, []).length === 0);
  if (verdict.kind === 'right') return right();
  return old ? wrong('expired body', `head of ${old.name}; expected ${namesOf(admissible)}`) : verdict;
};

/** The bytes before an answer broke off must be right as well: clients that resume rely on them. */
const judgeBroken = ({ method }: Asked, answer: Answer, { versions, passedOff }: Circumstances): Verdict => {
  const { status, body, end } = answer;
  const range = rangeOf(fieldOf(answer, 'content-range'));
  const first = status === 200 ? 0 : status === 206 ? range?.first : undefined;
  const etag = fieldOf(answer, 'etag');
  const known = versions.filter((version) => version.etag === etag);
  if (method === 'GET' && first !== undefined && body.length > 0) {
    const isRight = (version: Version) =>
      isCut(body, first, version, passedOff) || (version.checksum && isContinued(body, first, version, versions));
    if (known.length > 0 && !known.some(isRight))
      return wrong('wrong body', `broken off (${end}) after ${body.length} bytes, ${likeness(body, versions)}`);
  }
  return end === 'left' ? right() : failed(`${status || 'no head'}, ${end} after ${body.length} bytes`);
};
