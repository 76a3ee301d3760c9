import { SaxesParser, type SaxesTagPlain } from 'saxes';

/** Receives a document's parts. `depth` is 1 for the root element; names have no prefix. */
export interface XmlHandlers {
  opened(name: string, depth: number, attributes: Readonly<Record<string, string>>): void;
  text(text: string): void;
  closed(name: string, depth: number): void;
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Parses a document as its bytes arrive, and yields the values that the handlers emit. Throws an
 * error with file, line and column if the XML is not well-formed.
 */
export async function* parseXml<T>(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  makeHandlers: (emit: (item: T) => void) => XmlHandlers,
): AsyncGenerator<T> {
  const parser = new SaxesParser();
  let found: T[] = [];
  const handlers = makeHandlers((item) => found.push(item));
  let depth = 0;
  parser.on('error', (error) => {
    throw new Error(`${name}: not well-formed XML: ${error.message}`);
  });
  parser.on('opentag', (tag: SaxesTagPlain) => {
    depth += 1;
    handlers.opened(localName(tag.name), depth, tag.attributes);
  });
  parser.on('text', handlers.text);
  parser.on('cdata', handlers.text);
  parser.on('closetag', (tag: SaxesTagPlain) => {
    handlers.closed(localName(tag.name), depth);
    depth -= 1;
  });
  const taken = (): T[] => {
    const items = found;
    found = [];
    return items;
  };
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    parser.write(decoder.decode(chunk, { stream: true }));
    yield* taken();
  }
  parser.write(decoder.decode()).close();
  yield* taken();
}
