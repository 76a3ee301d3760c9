import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import type { Step } from './plan.ts';
import type { Answer } from './response.ts';

/** A step in words. */
export const sayStep = (step: Step): string => {
  if (step.what === 'replace') return `replaced, ${step.row} row${step.lags ? ', the feed lags behind' : ''}`;
  if (step.what !== 'fault') return step.what;
  return step.fault ? `the feed fails: ${JSON.stringify(step.fault)}` : 'the feed is well';
};

/** A version in words. */
export const sayVersion = ({ name, bytes, etag, feedTag, lastModified }: Version): string =>
  `${name}: ${bytes.length} bytes, tag ${etag}${feedTag === etag ? '' : ` (of the feed ${feedTag})`}, ${lastModified}`;

const SAID = [
  'etag',
  'last-modified',
  'content-range',
  'content-length',
  'cache-control',
  'x-cache',
  'age',
  'proxy-status',
];

/** An answer in words. */
export const sayAnswer = (answer: Answer): string => {
  const fields = SAID.flatMap((name) =>
    fieldOf(answer, name) === undefined ? [] : [`${name}: ${fieldOf(answer, name)}`],
  );
  return [answer.status || 'no head', `${answer.body.length} bytes`, answer.end, ...fields].join(' | ');
};
