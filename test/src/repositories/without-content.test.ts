import { describe, expect, it } from '@jest/globals';
import { withoutContent } from '../../../src/repositories/without-content.ts';
import { parseXml } from '../../../src/repositories/xml.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const left = async (text: string, size: number): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of withoutContent(pieces(text, size), 'format')) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

/** The names of the elements of what is left, as a parser sees them. */
const names = async (text: string, size = 7): Promise<string[]> => {
  const found: string[] = [];
  const ignore = () => {};
  const opened = (name: string) => found.push(name);
  const handlers = { opened: (name: string) => void opened(name), text: ignore, closed: ignore };
  for await (const _ of parseXml('file', withoutContent(pieces(text, size), 'format'), () => handlers));
  return found;
};

describe('XML without the content of an element', () => {
  it.each([
    ['<p><format><a>é</a></format><b/></p>', '<p><format></format><b/></p>'],
    ['<format>1</format>é<format>2</format>', '<format></format>é<format></format>'],
    ['<p><formats>x</formats><format/></p>', '<p><formats>x</formats><format/></p>'],
    ['<p>&lt;format></p>', '<p>&lt;format></p>'],
    ['<format', '<format'],
    ['', ''],
  ])('turns %s into %s, in any chunks', async (text, expected) => {
    for (const size of [1, 2, 3, 7, 100]) expect(await left(text, size)).toBe(expected);
  });

  it.each([
    ['<p><!-- <format> --><b/></p>', ['p', 'b']],
    ['<p><b/><![CDATA[ <format> ]]></p>', ['p', 'b']],
    ['<p><format><a/></format><![CDATA[<format>]]><b/></p>', ['p', 'format', 'b']],
  ])('is read completely after a comment or CDATA: %s', async (text, expected) => {
    for (const size of [1, 2, 7, 100]) expect(await names(text, size)).toEqual(expected);
  });

  it.each([
    '<p><format><!-- </format> --><b/></format></p>',
    '<p><format><![CDATA[ </format><b/> ]]></format></p>',
    '<p><format><b/></p>',
  ])('is not well-formed if the tags are not what they seem: %s', async (text) => {
    await expect(names(text)).rejects.toThrow('not well-formed XML');
  });
});
