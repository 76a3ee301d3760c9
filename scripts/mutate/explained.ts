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
  'pipelines/model/header.ts': {
    'headers.find((header) => header[0].length === name.length && header[0].toLowerCase() === name)?.[1]; ▸ header[0].length === name.length → true': `${SAVES_TIME} Equal names are equally long.`,
  },
  'pipelines/model/spelling.ts': {
    "const decoded = path.includes('%') ? path.replace(/%[\\da-f]{2}/gi, plain) : path; ▸ '%' → \"\"": `${SAVES_TIME} No escape is without a percent sign.`,
  },
  'pipelines/operators/deadline.ts': {
    'if (this.place < 0 || at < this.look) this.#agenda.enter(this); ▸ at < this.look → at <= this.look': `${SAVES_TIME} Its place is the same.`,
    'const below = left && right && right.look < left.look ? right : left; ▸ right.look < left.look → right.look <= left.look':
      'Of two at the same time, either may be the first.',
    'if (!below || below.look >= one.look) return; ▸ below.look >= one.look → below.look > one.look':
      'Of two at the same time, either may be the first.',
  },
  'pipelines/operators/limit-concurrency.ts': {
    "return <T>(source: Observable<T>, needed = 1, owner = ''): Observable<T> => ▸ '' → \"Stryker was here!\"":
      'Whatever its name, those without an owner have one queue.',
  },
  'pipelines/operators/to-async-iterable.ts': {
    '} else end?.(pull); ▸ end?.(pull) → end(pull)':
      'A pull is answered with a value, or with the end. The compiler asks for it.',
  },
  'pipelines/operators/to-readable.ts': {
    'const valve = new Gate(true); ▸ true → false': 'The first read opens it before anything follows it.',
  },
  'pipelines/operators/to-web-stream.ts': {
    'const valve = new Gate(true); ▸ true → false': 'The first pull opens it before anything follows it.',
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
  'pipelines/operators/share-flow.ts': {
    'const other = orKey === undefined ? undefined : running.get(orKey); ▸ orKey === undefined → false':
      'Nothing runs under no key. The compiler asks for it.',
  },
  'pipelines/operators/shared.ts': {
    'readonly #valve = new Gate(true); ▸ true → false': 'The first consumer moves it before the source follows it.',
    'if (admits && kept.weight <= Math.min(late, window) && held <= memory) return; ▸ admits && kept.weight <= Math.min(late, window) && held <= memory → false':
      SAVES_TIME,
    'if (admits && kept.weight <= Math.min(late, window) && held <= memory) return; ▸ kept.weight <= Math.min(late, window) → kept.weight < Math.min(late, window)':
      SAVES_TIME,
    'if (admits && kept.weight <= Math.min(late, window) && held <= memory) return; ▸ held <= memory → held < memory':
      SAVES_TIME,
  },
  'pipelines/operators/stall-timeout.ts': {
    'if (values < 2) { ▸ values < 2 → true':
      'Counting on changes nothing: from the second value on the limit is the same.',
    'if (values < 2) { ▸ values < 2 → values <= 2':
      'Counting on changes nothing: from the second value on the limit is the same.',
  },
  'pipelines/operators/valve.ts': {
    'if (valve === OPEN) { ▸ valve === OPEN → false': `${SAVES_TIME} OPEN emits the same when it is subscribed to.`,
    'if (valve === OPEN) { ▸ { tell({ out, moved }, true); return () => {}; } → {}': `${SAVES_TIME} OPEN emits the same when it is subscribed to.`,
  },
  'pipelines/operators/testing/check-flow.ts': {
    "if (found.size === 0) for (const plan of all) if (plan.within) run(plan, 'reentrant'); ▸ plan.within → true": `${SAVES_TIME} The other histories were lawful before.`,
    'if (!this.#ended) { ▸ !this.#ended → true': `${SAVES_TIME} A result that has ended emits nothing more.`,
  },
  'pipelines/operators/testing/plan.ts': {
    "const kind = KINDS[upTo(KINDS.length - 1)] ?? 'push'; ▸ 'push' → \"\"":
      'The index is that of a kind. The compiler asks for the rest.',
    "if (['leave', 'complete', 'error'].includes(kind) && random() < 0.7) return { do: 'push', count: 1 }; ▸ random() < 0.7 → random() <= 0.7":
      'No number is 0.7: they are fractions of 2 ** 32.',
    'open: random() < 0.7, ▸ random() < 0.7 → random() <= 0.7': 'No number is 0.7: they are fractions of 2 ** 32.',
    'for (let index = 0; ; index += 1) { ▸ index += 1 → index -= 1': 'Only whether it is even counts.',
  },
  'pipelines/stages/attempts/ask-length.ts': {
    "filter((event: SourceEvent): event is SourceHead => event.type === 'head'), ▸ event.type === 'head' → true":
      'A chunk has no length, so the next filter drops it. The compiler asks for it.',
  },
  'pipelines/stages/attempts/begin.ts': {
    'if (waiting) leave(); ▸ waiting → true': `${SAVES_TIME} Nothing is held without a waiting head.`,
    'if (event.bytes.length > 0) take?.(event); ▸ take?.(event) → take(event)':
      'A source sends its head first. The compiler asks for it.',
    'const part = range && total !== undefined ? resolveRange(range, total) : undefined; ▸ total !== undefined → true':
      'No bytes lie within an unknown length. The compiler asks for it.',
  },
  'pipelines/stages/attempts/body-from.ts': {
    'if (out.closed) return; ▸ out.closed → false': `${SAVES_TIME} A source is not subscribed to for a consumer that has left.`,
  },
  'pipelines/stages/attempts/cut.ts': {
    'if (start === 0 && end === bytes.length) out.next(chunk); ▸ start === 0 && end === bytes.length → false': `${SAVES_TIME} The piece is the whole chunk.`,
  },
  'pipelines/stages/attempts/lengths.ts': {
    'if (known.size > remembered && oldest !== undefined) known.delete(oldest); ▸ oldest !== undefined → true':
      'More URLs than the limit have an oldest one. The compiler asks for it.',
  },
  'pipelines/stages/attempts/next-attempt.ts': {
    'failure !== undefined && ▸ failure !== undefined → true':
      'It is asked only of candidates that have failed. The compiler asks for it.',
    'return { candidate: again, wait: failed(again)?.error.retryAfter ?? pause }; ▸ failed(again)?.error → failed(again).error':
      'A candidate that is tried again has failed. The compiler asks for it.',
  },
  'pipelines/stages/attempts/open-parts.ts': {
    'if (!first) return open(candidate, ask); ▸ !first → false': 'Some byte is missing. The compiler asks for it.',
    "accepted ||= event.type === 'head' && event.parts !== undefined; ▸ event.type === 'head' → true":
      'A chunk has no parts. The compiler asks for it.',
    "return accepted || refusing(event.type === 'head' ? event.length : undefined); ▸ event.type === 'head' → true":
      'A chunk has no length. The compiler asks for it.',
  },
  'pipelines/stages/attempts/open-unless.ts': {
    "if (event.type !== 'head' || event.status !== 304) return true; ▸ event.type !== 'head' → false":
      'A chunk has no status. The compiler asks for it.',
    "map((event) => (event.type === 'head' && isProof(event) ? { ...event, status: 304 } : event)), ▸ event.type === 'head' → true":
      'An answer to HEAD has no chunks. The compiler asks for it.',
  },
  'pipelines/stages/attempts/progress.ts': {
    "return event.type === 'resumed' && event.digest ? { ...progress, undigested: false } : progress; ▸ event.type === 'resumed' → true":
      'No other note has a digest. The compiler asks for it.',
  },
  'pipelines/stages/attempts/resume.ts': {
    'return take?.(event); ▸ take?.(event) → take(event)': 'A source sends its head first. The compiler asks for it.',
  },
  'pipelines/stages/attempts/verify-before-head.ts': {
    'chunks = []; ▸ [] → ["Stryker was here"]': 'What has no loan is released without effect.',
    'if (waiting) letGo(unverified(waiting), chunks); ▸ waiting → true':
      'The deadline is left when the head goes. The compiler asks for it.',
  },
  'pipelines/stages/attempts/wanted.ts': {
    "if (replaced && !ifRange.startsWith('\"')) return {}; ▸ ifRange.startsWith('\"') → ifRange.endsWith('\"')":
      'A tag begins and ends with a quote, a date does neither.',
    "if (checksum && ifRange.startsWith('\"')) return holds(ifRange, { etag: etagOf(checksum) }) ? { range } : {}; ▸ ifRange.startsWith('\"') → ifRange.endsWith('\"')":
      'A tag begins and ends with a quote, a date does neither.',
  },
  'pipelines/stages/attempts/with-length.ts': {
    'if (waiting) release(waiting, length); ▸ waiting → true':
      'The length is no longer asked for once the body has ended. The compiler asks for it.',
    "lift(map((event) => (event.type === 'head' ? { ...event, length: lengthForHead(event) } : event))), ▸ event.type === 'head' → true":
      'An answer to HEAD has no chunks. The compiler asks for it.',
  },
  'pipelines/stages/cut-part.ts': {
    "if (event.type !== 'head' || !part) return out.next(event); ▸ event.type !== 'head' → false":
      'Only a head has a part. The compiler asks for it.',
  },
  'pipelines/stages/cut-parts.ts': {
    'const all = wantsAll(range, entry?.size); ▸ entry?.size → entry.size':
      'A path without entries has failed before. The compiler asks for it.',
  },
  'pipelines/stages/cut-several.ts': {
    'let position = body[0]?.first ?? 0; ▸ body[0]?.first → body[0].first':
      'A body has a part. The compiler asks for it.',
    'out.next(end - begin === chunk.bytes.length ? chunk : { ...chunk, bytes: chunk.bytes.subarray(begin, end) }); ▸ end - begin === chunk.bytes.length → false': `${SAVES_TIME} The piece is the whole chunk.`,
    'for (let part = body[within]; part && bytes.length > 0; part = body[within]) { ▸ bytes.length > 0 → true': `${SAVES_TIME} No bytes cut nothing.`,
    'for (let part = body[within]; part && bytes.length > 0; part = body[within]) { ▸ bytes.length > 0 → bytes.length >= 0': `${SAVES_TIME} No bytes cut nothing.`,
    'take(piece.length === chunk.bytes.length ? chunk : { ...chunk, bytes: piece }); ▸ piece.length === chunk.bytes.length → false': `${SAVES_TIME} The piece is the whole chunk.`,
  },
  'pipelines/stages/hand-over.ts': {
    "if (event.type === 'chunk' || event.type === 'failed') return [event]; ▸ event.type === 'chunk' → false":
      'An answer to HEAD has no chunks.',
    "if (event.type === 'chunk' || event.type === 'failed') return [event]; ▸ 'chunk' → \"\"":
      'An answer to HEAD has no chunks.',
    'const asked: StreamRequest = { ...request, method: \'HEAD\', ranges: [], conditions: {} }; ▸ [] → ["Stryker was here"]':
      'HEAD ignores ranges.',
  },
  'pipelines/stages/hold-slices.ts': {
    'let refused = false; ▸ false → true': 'The first event decides it.',
    'return { pause: () => {}, resume: () => {}, close: () => {} }; ▸ { pause: () => {}, resume: () => {}, close: () => {} } → {}':
      'It has completed, so it is neither paused nor closed.',
    "refused = event.type === 'head' && event.status === 206 && !divisible(event); ▸ event.type === 'head' → true":
      'Nothing else has a status. The compiler asks for it.',
  },
  'pipelines/stages/keep.ts': {
    "if (event.type === 'head' && event.whole && isWorthSaving(event.candidate)) ▸ event.type === 'head' → true":
      'Nothing else says that it is whole. The compiler asks for it.',
  },
  'pipelines/stages/multipart.ts': {
    'const { method, ranges = [] } = request; ▸ [] → ["Stryker was here"]': 'One range is not several either.',
    'return run({ method: \'HEAD\', ranges: [] }).pipe( ▸ [] → ["Stryker was here"]': 'HEAD ignores ranges.',
    'const title = (part: Part) => framed(frame?.title(part)); ▸ frame?.title → frame.title':
      'A title comes after the head. The compiler asks for it.',
    '...{ body: [{ first: 0, last: length - 1 }], parts, title }, ▸ length - 1 → length + 1':
      'No byte comes after the last one.',
    'if (!first) return EMPTY; ▸ !first → false': 'There are parts. The compiler asks for it.',
    'let refused = false; ▸ false → true': 'The first event decides it.',
  },
  'pipelines/stages/part-groups.ts': {
    'if (group && before && part.first - before.last - 1 <= NEAR) ▸ group && before → group || before':
      'Every group has a last part. The compiler asks for it.',
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
  'pipelines/stages/attempts/part-alone.ts': {
    'const part = range && total !== undefined ? resolveRange(range, total) : undefined; ▸ range && total !== undefined → true':
      'No bytes lie within an unknown length. The compiler asks for it.',
    'const part = range && total !== undefined ? resolveRange(range, total) : undefined; ▸ range && total !== undefined → range || total !== undefined':
      'No bytes lie within an unknown length. The compiler asks for it.',
    'const part = range && total !== undefined ? resolveRange(range, total) : undefined; ▸ total !== undefined → true':
      'No bytes lie within an unknown length. The compiler asks for it.',
  },
  'pipelines/stages/share.ts': {
    'if (!head?.whole) return undefined; ▸ head?.whole → head.whole':
      'A chunk comes after the head. The compiler asks for it.',
    'if (event.digest) own = undefined; ▸ event.digest → true': `${SAVES_TIME} A copy of the digest so far goes on in the same way.`,
    'expected: request.ranges ? undefined : entries[0]?.size, ▸ entries[0]?.size → entries[0].size':
      'A path without entries has failed before. The compiler asks for it.',
  },
  'pipelines/stages/boundary.ts': {
    'if (!tail || bytes.length >= BOUNDARY) return new Uint8Array(bytes.subarray(-BOUNDARY)); ▸ bytes.length >= BOUNDARY → bytes.length > BOUNDARY': `${SAVES_TIME} Nothing of the tail remains.`,
  },
  'pipelines/stages/candidates.ts': {
    'out.next(ordered.length > 1 ? ordered.toSorted((a, b) => lateness(a) - lateness(b)) : ordered); ▸ ordered.length > 1 → true': `${SAVES_TIME} One candidate has one order.`,
    'out.next(ordered.length > 1 ? ordered.toSorted((a, b) => lateness(a) - lateness(b)) : ordered); ▸ ordered.length > 1 → ordered.length >= 1': `${SAVES_TIME} One candidate has one order.`,
  },
  'pipelines/stages/client-head.ts': {
    'if (known) return known; ▸ known → false': `${SAVES_TIME} It is made again.`,
    "(field(headers, 'connection') ?? KEEP_ALIVE) === KEEP_ALIVE ▸ (field(headers, 'connection') ?? KEEP_ALIVE) === KEEP_ALIVE → false": `${SAVES_TIME} The field that it names is dropped anyway.`,
    '? [] ▸ [] → ["Stryker was here"]': 'No field has a name with blanks.',
    "const KEEP_ALIVE = 'keep-alive'; ▸ 'keep-alive' → \"\"": `${SAVES_TIME} The field that it names is dropped anyway.`,
  },
  'pipelines/stages/head-from-catalog.ts': {
    'const keyOf = ({ url, entry: { checksum } }: Candidate): string => `${url} ${checksum?.value}`; ▸ checksum?.value → checksum.value':
      'It is asked only of candidates with a checksum. The compiler asks for it.',
    'Boolean(entry?.checksum && entry.size && entry.asOf === undefined) && ▸ entry?.checksum → entry.checksum':
      'A path without entries has failed before. The compiler asks for it.',
    "(conditions.ifRange === undefined || conditions.ifRange.startsWith('\"')); ▸ conditions.ifRange.startsWith('\"') → conditions.ifRange.endsWith('\"')":
      'A tag begins and ends with a quote, a date does neither.',
  },
  'pipelines/stages/lookup.ts': {
    'if (!/[%;]|\\/[./]/.test(path)) return [path]; ▸ !/[%;]|\\/[./]/.test(path) → false': `${SAVES_TIME} All its spellings are the same.`,
    'if (!/[%;]|\\/[./]/.test(path)) return [path]; ▸ /[%;]|\\/[./]/ → /[^%;]|\\/[./]/': `${SAVES_TIME} All its spellings are the same.`,
  },
  'pipelines/stages/made-file.ts': {
    'defer(() => catalog.made?.(decodePath(path), askedAs) ?? EMPTY) ▸ catalog.made?.(decodePath(path), askedAs) → catalog.made(decodePath(path), askedAs)':
      'It is asked only of a catalog that makes files. The compiler asks for it.',
  },
  'pipelines/stages/passing-fields.ts': {
    'if (known !== undefined) return known; ▸ known !== undefined → false': `${SAVES_TIME} It is decided again.`,
  },
  'pipelines/stages/verify.ts': {
    'if (head && checksum && found !== undefined && found !== checksum.value) { ▸ head && checksum → true':
      'There is a digest only for a head with a checksum. The compiler asks for it.',
    'if (head && checksum && found !== undefined && found !== checksum.value) { ▸ head && checksum → head || checksum':
      'There is a digest only for a head with a checksum. The compiler asks for it.',
  },
};
