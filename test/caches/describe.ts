import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import type { Step } from './plan.ts';
import type { Answer } from './response.ts';

/** A step in words. */
export const describeStep = (step: Step): string => {
  if (step.what === 'replace') return `replaced, ${step.row} row${step.lags ? ', the feed lags behind' : ''}`;
  if (step.what !== 'fault') return step.what;
  return step.fault ? `the feed fails: ${JSON.stringify(step.fault)}` : 'the feed has recovered';
};

/** A version in words. */
export const describeVersion = ({ name, bytes, etag, feedTag, lastModified }: Version): string =>
  `${name}: ${bytes.length} bytes, tag ${etag}${feedTag === etag ? '' : ` (the feed’s is ${feedTag})`}, ${lastModified}`;

const SHOWN = [
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
export const describeAnswer = (answer: Answer): string => {
  const fields = SHOWN.flatMap((name) =>
    fieldOf(answer, name) === undefined ? [] : [`${name}: ${fieldOf(answer, name)}`],
  );
  return [answer.status || 'no head', `${answer.body.length} bytes`, answer.end, ...fields].join(' | ');
};
