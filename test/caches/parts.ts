import { isHeld, isNamed } from './conditions.ts';
import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import { type Piece, piecesOf, rangeOf } from './multipart.ts';
import { spansOf } from './ranges.ts';
import { isCut, judgeFields } from './representation.ts';
import type { Asked } from './requests.ts';
import type { Answer } from './response.ts';
import { type Circumstances, namesOf, type Verdict, wrong } from './verdict.ts';

/**
 * Judges a 206. It must be cut from one version, the one of its tag and of the client's conditions, and
 * cover what was requested.
 */
export const judgeParts = (
  asked: Asked,
  answer: Answer,
  { admissible, versions, passedOff, cached }: Circumstances,
): Verdict => {
  const pieces = partsOf(answer);
  if (typeof pieces === 'string') return wrong('malformed', pieces);
  const { range } = asked;
  if (!range?.specs) return wrong('wrong 206', 'no range was requested');
  const isOf = (version: Version) => {
    const others = passedOff.filter(({ as }) => as === version);
    const totals = [version, ...others].map(({ bytes }) => bytes.length);
    return pieces.every(
      ({ first, total, bytes }) =>
        (total === undefined || totals.includes(total)) && isCut(bytes, first, version, passedOff),
    );
  };
  const fitting = admissible.filter(({ version }) => isOf(version));
  if (fitting.length === 0) {
    const old = versions.find(isOf);
    return old
      ? wrong('expired body', `parts of ${old.name}; expected ${namesOf(admissible)}`)
      : wrong('wrong body', `parts ${pieces.map(({ first, last, total }) => `${first}-${last}/${total}`).join(', ')}`);
  }
  const verdict = judgeFields(answer, fitting, passedOff);
  if (verdict.kind !== 'right' || !verdict.version) return verdict;
  const { version } = verdict;
  const { 'If-Range': ifRange, 'If-Match': ifMatch } = asked.conditions;
  if (ifRange && !fitting.some((one) => one.version === version && isHeld(ifRange, one)))
    return wrong('wrong 206', `of ${version.name}, If-Range was ${ifRange.text}`);
  if (!cached && ifMatch && !isNamed(ifMatch, version))
    return wrong('wrong 206', `of ${version.name}, If-Match was ${ifMatch.text}`);
  const [{ total = version.bytes.length } = {}] = pieces;
  const spans = spansOf(range, total);
  const isCovered = spans.every((span) => pieces.some(({ first, last }) => first <= span.first && last >= span.last));
  const isWanted = pieces.every(({ first, last }) => spans.some((span) => first <= span.last && last >= span.first));
  const isExact = spans.length > 1 || (pieces[0]?.first === spans[0]?.first && pieces[0]?.last === spans[0]?.last);
  return isCovered && isWanted && isExact ? verdict : wrong('wrong 206', 'other parts than requested');
};

const partsOf = (answer: Answer): readonly Piece[] | string => {
  const type = fieldOf(answer, 'content-type') ?? '';
  if (type.toLowerCase().startsWith('multipart/byteranges')) return piecesOf(type, answer.body);
  const range = rangeOf(fieldOf(answer, 'content-range'));
  if (!range || range.last - range.first + 1 !== answer.body.length)
    return `Content-Range ${fieldOf(answer, 'content-range')} of ${answer.body.length} bytes`;
  return [{ ...range, bytes: answer.body }];
};
