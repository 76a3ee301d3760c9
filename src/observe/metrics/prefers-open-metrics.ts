import { trimBlanks } from '../../../pipelines/model/index.ts';

/** Whether an `Accept` header prefers OpenMetrics to the text format of Prometheus (RFC 9110 section 12.5.1). */
export const prefersOpenMetrics = (accept: string): boolean =>
  weightOf(accept, 'application/openmetrics-text') > weightOf(accept, 'text/plain');

/** The highest weight of a media type that is named in full, from 0 to 1. */
const weightOf = (accept: string, type: string): number => {
  const weights = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => trimBlanks(part)))
    .filter(([name]) => name === type)
    .map(([, ...parameters]) => Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1));
  return Math.max(0, ...weights.filter(Number.isFinite));
};
