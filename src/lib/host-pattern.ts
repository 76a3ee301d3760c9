/** A host as the settings name it. One `*` may stand for a part of the name before its domain. */
export interface HostPattern {
  /** In lower case, IDNA as ASCII, IPv6 in brackets. */
  readonly host: string;
  /** Absent if it is that of the scheme. */
  readonly port?: number;
}

/** Whether a host and port are meant by a pattern. */
export const hostMatcher = ({ host, port }: HostPattern): ((other: HostPattern) => boolean) => {
  const [before = '', after] = host.split('*');
  if (after === undefined) return (other) => other.port === port && other.host === host;
  return (other) =>
    other.port === port &&
    other.host.length > before.length + after.length &&
    other.host.startsWith(before) &&
    other.host.endsWith(after);
};

/** What of a pattern its operator has named in full: the host, or the domain after the `*`. */
export const namedPart = (host: string): string => host.replace(/^.*\*[^.]*\./, '');

/** Host and port of a URL, without user. `undefined` if the text is not such. */
export const readAuthority = (text: string, scheme = 'http'): HostPattern | undefined => {
  if (!/^(\[[\da-fA-F:.]+\]|[^\s/?#@\\*:[\]]+)(:\d{1,5})?$/.test(text)) return undefined;
  const url = URL.parse(`${scheme}://${text}`);
  const host = url?.hostname.replace(/\.$/, '');
  return url && host ? { host, ...(url.port && { port: Number(url.port) }) } : undefined;
};

export const authorityText = ({ host, port }: HostPattern): string => (port === undefined ? host : `${host}:${port}`);
