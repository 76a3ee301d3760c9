import { sep } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { LONGEST_SOCKET_PATH } from '../http/admin/control-socket.ts';
import { groupId } from '../lib/group.ts';
import { messageOf } from '../lib/thrown.ts';

type ControlSettings = Pick<Settings, 'controlSocket' | 'controlGroup' | 'stateDir'>;

/** Throws a ConfigError if no control socket could be at its path, or not for its group. */
export const checkControl = ({ controlSocket, controlGroup, stateDir }: ControlSettings): void => {
  const length = Buffer.byteLength(controlSocket);
  if (length > LONGEST_SOCKET_PATH)
    throw new ConfigError([
      `control_socket: expected a path of at most ${LONGEST_SOCKET_PATH} bytes, the longest that a socket can have; found ${length} bytes: ${controlSocket}`,
    ]);
  if (controlGroup === '') return;
  if (controlSocket.startsWith(`${stateDir}${sep}`))
    throw new ConfigError([
      'control_group: control_socket lies in state_dir, which no group may enter; set control_socket to a path elsewhere',
    ]);
  groupOf({ controlGroup });
};

/** The number of the group that may use the control socket, if one may. */
export const groupOf = ({ controlGroup }: Pick<Settings, 'controlGroup'>): number | undefined => {
  try {
    return controlGroup === '' ? undefined : groupId(controlGroup);
  } catch (error) {
    throw new ConfigError([`control_group: ${messageOf(error)}`]);
  }
};
