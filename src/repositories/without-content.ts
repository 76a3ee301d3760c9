/**
 * Drops the content of an element without attributes, before anything parses it: `<format>` is most
 * of a yum repository's metadata, and nothing of it is needed. After the first comment or CDATA
 * outside of it, nothing more is dropped: tags may then not be what they seem. Inside of it these
 * would leave one tag without its counterpart, and the parser fails.
 */
export async function* withoutContent(bytes: AsyncIterable<Uint8Array>, element: string): AsyncGenerator<Uint8Array> {
  const [begin, end] = [Buffer.from(`<${element}>`), Buffer.from(`</${element}>`)];
  let state: 'outside' | 'inside' | 'all' = 'outside';
  /** Bytes that may begin a tag. */
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes) {
    let left =
      rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const kept: Uint8Array[] = [];
    for (let more = true; more; ) {
      const mark = state === 'inside' ? end : begin;
      const at = state === 'all' ? -1 : left.indexOf(mark);
      more = at >= 0;
      const next = more ? at : Math.max(0, left.length - mark.length + 1);
      const part = left.subarray(0, next);
      // The second byte may be the first of those that wait.
      const isMarked = state === 'outside' && left.subarray(0, next + 1).includes('<!');
      left = left.subarray(next);
      if (state === 'inside') {
        if (more) state = 'outside';
        continue;
      }
      kept.push(part);
      if (isMarked) state = 'all';
      else if (more) {
        kept.push(begin);
        left = left.subarray(begin.length);
        state = 'inside';
      }
    }
    rest = left;
    yield Buffer.concat(kept);
  }
  if (state !== 'inside' && rest.length > 0) yield rest;
}
