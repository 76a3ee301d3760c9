import { MongoClient } from 'mongodb';

/** How a site's files name its database. */
interface Connection {
  /** Keys of `[database]` in server.conf. */
  readonly database: Readonly<Record<'name' | 'seeds' | 'replica_set', string>>;
  /** Keys of `[streamer]`, if those of `[database]` cannot express the server's URL. */
  readonly streamer: Readonly<Record<string, string>>;
}

/**
 * A database of a server. `[database]` cannot express a user of the server: Pulp's is a user of the
 * database.
 */
export const connectionTo = (url: string, name: string): Connection => {
  const { hosts, replicaSet = '', credentials, tls } = new MongoClient(url).options;
  const database = { name, seeds: hosts.map(String).join(','), replica_set: replicaSet };
  if (!credentials && !tls) return { database, streamer: {} };
  const [, servers = '', path = '', query = ''] = /^([^/]*\/\/[^/?]*)\/?([^?]*)\??(.*)$/.exec(url) ?? [];
  const options = new URLSearchParams(query);
  if (credentials && !options.has('authSource')) options.set('authSource', path || 'admin');
  // As Python reads it.
  return { database, streamer: { mongodb_url: `${servers}/${name}?${options}`.replaceAll('%', '%%') } };
};

/** Lines of a file. */
export const linesOf = (keys: Readonly<Record<string, string>>): string[] =>
  Object.entries(keys).map(([key, value]) => `${key}: ${value}`);
