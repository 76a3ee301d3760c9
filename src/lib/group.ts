import { readFileSync } from 'node:fs';

/**
 * The number of a group, by its name in /etc/group or as it is written. Throws if there is no such
 * group.
 */
export const groupId = (group: string): number => {
  if (/^\d+$/.test(group)) return Number(group);
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [name, , id] = line.split(':');
    if (name === group && id !== undefined) return Number(id);
  }
  throw new Error(`expected a group of /etc/group, or a number; found ${JSON.stringify(group)}`);
};
