import { until } from '../support/until.ts';

/** Resolves once a condition holds, or after the time, to whether it held. */
export const within = async (milliseconds: number, condition: () => boolean): Promise<boolean> => {
  const last = performance.now() + milliseconds;
  await until(() => condition() || performance.now() > last);
  return condition();
};
