/** An element of the page itself. */
export const byId = <T extends HTMLElement>(id: string, kind: new () => T): T => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no #${id}`);
  return found;
};

/** A new element with its class, and its text or children. Text is never read as HTML. */
export const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name = '',
  ...content: (string | Node)[]
): HTMLElementTagNameMap[Tag] => {
  const element = document.createElement(tag);
  if (name !== '') element.className = name;
  element.append(...content);
  return element;
};

const SVG = 'http://www.w3.org/2000/svg';

export const makeSvg = (tag: string, attributes: Readonly<Record<string, string | number>>, ...content: Node[]) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
};

/** Changes only what differs: most of it stays the same for long. */
export const setText = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text;
};

export const setClass = (element: Element, name: string): void => {
  if (element.className !== name) element.className = name;
};

export const setAttribute = (element: Element, name: string, value: string): void => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};

/** As many children as wanted: the others are hidden, and used again. */
export const pool = <T extends HTMLElement>(parent: Element, create: () => T) => {
  const all: T[] = [];
  return (count: number): readonly T[] => {
    while (all.length < count) {
      const one = create();
      all.push(one);
      parent.append(one);
    }
    for (const [index, one] of all.entries()) if (one.hidden !== index >= count) one.hidden = index >= count;
    return all.slice(0, count);
  };
};
