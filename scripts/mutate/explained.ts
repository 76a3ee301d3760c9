import type { Explanations } from './judge.ts';

const SAVES_TIME = 'Only saves time: what follows does the same.';

/** Mutants that no test can kill, since the program does the same, with the reason. */
export const EXPLAINED: Explanations = {
  'pipelines/model/conditions.ts': {
    '} else if (ifUnmodifiedSince !== undefined && timeOf(lastModified) > ifUnmodifiedSince) return 412; ▸ ifUnmodifiedSince !== undefined → true':
      'No time is later than undefined. The compiler asks for it.',
    'return ifModifiedSince !== undefined && timeOf(lastModified) === ifModifiedSince ? 304 : undefined; ▸ ifModifiedSince !== undefined → true':
      'No time equals undefined. The compiler asks for it.',
  },
  'pipelines/operators/first-timeout.ts': {
    'if (!came) first.unsubscribe(); ▸ !came → true': 'A deadline that was left can be left again.',
    'came = true; ▸ true → false': 'A deadline that was left can be left again.',
  },
  'pipelines/operators/operate.ts': {
    'const IGNORING: Handlers<unknown> = { next: () => {} }; ▸ { next: () => {} } → {}':
      'The result has errored, so nothing is passed to these handlers.',
  },
  'pipelines/operators/rate-limit.ts': {
    'stream.open = false; ▸ false → true': 'It holds nothing any more, and its source has left its valve.',
  },
  'pipelines/operators/stall-timeout.ts': {
    'if (values < 2) { ▸ values < 2 → true':
      'Counting on changes nothing: from the second value on the limit is the same.',
    'if (values < 2) { ▸ values < 2 → values <= 2':
      'Counting on changes nothing: from the second value on the limit is the same.',
  },
  'pipelines/operators/valve.ts': {
    'if (this.#followers.length > 0) for (const follower of this.#followers.slice()) tell(follower, open); ▸ this.#followers.length > 0 → true': `${SAVES_TIME} A copy of no followers is empty.`,
    'if (valve === OPEN) { ▸ valve === OPEN → false': `${SAVES_TIME} OPEN emits the same when it is subscribed to.`,
    'if (valve === OPEN) { ▸ { tell({ out, moved }, true); return () => {}; } → {}': `${SAVES_TIME} OPEN emits the same when it is subscribed to.`,
  },
  'pipelines/stages/health/health.ts': {
    'if (candidates.length < 2) return candidates; ▸ candidates.length < 2 → false': `${SAVES_TIME} One candidate has one order.`,
    'const times = heads.get(name) ?? { last: [], next: 0 }; ▸ [] → ["Stryker was here"]':
      'The first time takes its place.',
    'const times = heads.get(sourceName(source))?.last ?? []; ▸ [] → ["Stryker was here"]':
      'One is not enough times either.',
  },
  'pipelines/stages/health/ranges.ts': {
    "if (sourceStatus === 206) remember(candidate, 'parts'); ▸ 'parts' → \"\"":
      'Nothing compares with it: it takes the place of what was known.',
  },
  'pipelines/stages/health/recent.ts': {
    'if (known.size > limit && oldest !== undefined) known.delete(oldest); ▸ oldest !== undefined → true':
      'More keys than the limit have an oldest one. The compiler asks for it.',
  },
  'pipelines/stages/health/record-health.ts': {
    'const asked: { readonly candidate: Candidate; readonly at: number }[] = []; ▸ [] → ["Stryker was here"]':
      'It is of no candidate, so it is never found.',
  },
  'pipelines/stages/verify.ts': {
    'if (head && checksum && found !== undefined && found !== checksum.value) { ▸ head && checksum → true':
      'There is a digest only for a head with a checksum. The compiler asks for it.',
    'if (head && checksum && found !== undefined && found !== checksum.value) { ▸ head && checksum → head || checksum':
      'There is a digest only for a head with a checksum. The compiler asks for it.',
  },
};
