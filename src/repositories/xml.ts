import { SaxesParser, type SaxesTagPlain } from 'saxes';

/** What a document's reader is told. `depth` is 1 for the root element; names are without their namespace's prefix. */
export interface XmlHandlers {
  opened(name: string, depth: number, attributes: Readonly<Record<string, string>>): void;
  text(text: string): void;
  closed(name: string, depth: number): void;
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** Reads a document as it comes; yields what the handlers emit. Throws, naming file, line and column, where it is no well-formed XML. */
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
