/** A file whose name a client, a proxy or a server could misread. */
interface AwkwardName {
  readonly name: string;
  /** Its path below the feed, as in the catalog. Default: the raw name, since Pulp joins without encoding. */
  readonly url?: string;
}

/** All in one folder, so that two could be confused. */
export const AWKWARD_NAMES: readonly AwkwardName[] = [
  { name: 'bear-4.1-1.noarch.rpm' },
  { name: 'Bear-4.1-1.noarch.RPM' },
  { name: 'a+b' },
  { name: 'a b' },
  { name: ' in front', url: '%20in%20front' },
  { name: 'at the end ', url: 'at%20the%20end%20' },
  { name: 'two  spaces' },
  { name: 'bear-1.0~rc1^20200101.rpm' },
  { name: 'v1;v=2.rpm' },
  { name: ';in front' },
  { name: 'policy=p;signature=s' },
  { name: 'a&b=c' },
  { name: 'a:b' },
  { name: 'a@b' },
  { name: 'a#b', url: 'a%23b' },
  { name: "it's" },
  { name: '"quoted"' },
  { name: '<tag>' },
  { name: 'a|b' },
  { name: '`sh`' },
  { name: '$1$(id)' },
  { name: '[1]{2}(3)' },
  { name: 'a!b*c,d' },
  { name: '.hidden' },
  { name: '..a' },
  { name: '...' },
  { name: 'a.' },
  { name: '-rf' },
  { name: '__proto__' },
  { name: 'streamer' },
  { name: 'caf\u00e9' },
  { name: 'cafe\u0301' },
  { name: '\u65e5\u672c\u8a9e.rpm' },
  { name: '\ud83d\udc3b.rpm' },
  { name: '\u202eright to left' },
  { name: 'a\u2028b' },
  { name: 'tab\tbetween', url: 'tab%09between' },
  { name: 'line\nbetween', url: 'line%0Abetween' },
  { name: 'delete\u007f' },
  { name: 'n'.repeat(255) },
  // What stands for itself in a name means something in a URL.
  { name: 'a%2Bb', url: 'a%252Bb' },
  { name: '%41.rpm', url: '%2541.rpm' },
  { name: '50%25.rpm', url: '50%2525.rpm' },
  { name: 'back\\slash' },
  { name: '100%.rpm' },
];
