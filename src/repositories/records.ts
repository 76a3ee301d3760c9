import { parseXml, recordBudget } from './xml.ts';

/** The texts of a record by name; absent if the record has none. */
export type Fields = Record<string, string | undefined>;

/**
 * Reads each `element` directly below the root. A child's text is stored by its name, its
 * attributes by `name@attribute`, and the element's attributes by `@attribute`. Grandchildren (a
 * package's `format`) are skipped.
 */
export const readRecords = (
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  element: string,
  onRoot: (attributes: Readonly<Record<string, string>>) => void = () => {},
): AsyncGenerator<Fields> =>
  parseXml<Fields>(name, bytes, (emit, exceeds) => {
    let record: Fields | undefined;
    let child: string | undefined;
    const budget = recordBudget(element, exceeds);
    return {
      opened: (tag, depth, attributes) => {
        if (depth === 1) onRoot(attributes);
        if (depth === 2 && tag === element) {
          record = Object.create(null) as Fields;
          budget.begin();
        }
        if (depth === 3) child = tag;
        if (!record || depth > 3 || depth < 2) return;
        const owner = depth === 3 ? tag : '';
        if (owner) record[owner] = '';
        budget.count(1, owner.length);
        for (const [key, value] of Object.entries(attributes)) {
          budget.count(1, key.length + value.length);
          record[`${owner}@${key}`] = value;
        }
      },
      text: (text) => {
        if (!record || child === undefined) return;
        budget.count(0, text.length);
        record[child] += text;
      },
      closed: (_tag, depth) => {
        if (depth === 3) child = undefined;
        if (depth !== 2 || !record) return;
        emit(record);
        record = undefined;
      },
    };
  });
