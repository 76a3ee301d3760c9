import { BlockList, isIP, SocketAddress } from 'node:net';

/**
 * An address in its canonical spelling, without zone. An IPv4-mapped address (RFC 4291 section
 * 2.5.5.2) becomes IPv4. `undefined` if the text is not an address.
 */
export const canonicalAddress = (text: string): string | undefined => canonical(text);

/** Answers that are remembered: a proxy in front asks again and again from one address. */
const REMEMBERED = 1_000;

const remembering = <T>(answer: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>();
  return (text) => {
    const answered = known.get(text);
    if (answered !== undefined) return answered;
    const made = answer(text);
    if (known.size >= REMEMBERED) known.clear();
    known.set(text, made);
    return made;
  };
};

const canonical = remembering((text: string): string | undefined => {
  const family = isIP(text);
  if (family === 0) return undefined;
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
});

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** Whether an address in its canonical spelling is in one of the networks, which are in CIDR notation or single addresses. */
export const matcher = (networks: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const plain = canonicalAddress(address) ?? address;
    if (prefix === undefined) list.addAddress(plain, familyOf(plain));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return remembering((address) => list.check(address, familyOf(address)));
};
