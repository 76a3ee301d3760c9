import { backPressure } from './back-pressure.ts';
import { benchmarks } from './benchmarks.ts';
import { lifeOfARequest } from './life-of-a-request.ts';
import { operators } from './operators.ts';
import { rooms } from './rooms.ts';
import { sourceReplaced } from './source-replaced.ts';

/** Every file that `npm run pictures` makes, with its content. */
export const all = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/pictures/life-of-a-request.svg', lifeOfARequest()],
    ['docs/pictures/source-replaced.svg', sourceReplaced()],
    ['docs/pictures/back-pressure.svg', backPressure()],
    ['docs/pictures/rooms.svg', rooms()],
    ...operators(),
    ...benchmarks(),
  ]);
