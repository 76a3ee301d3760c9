import { firstValueFrom } from 'rxjs';
import type { Settings } from '../../config/schema.ts';
import { messageOf } from '../../lib/thrown.ts';
import { describeAddress } from '../../saves/celery/amqp/address.ts';
import { openSession } from '../../saves/celery/amqp/session.ts';
import { brokerOf, sendsTasks } from '../save-settings.ts';
import { type Trial, trying } from './trial.ts';

/** Logs in to each broker that tasks would be sent through. */
export const tryBroker = async (settings: Settings): Promise<readonly Trial[]> => {
  if (!sendsTasks(settings)) return [];
  const { addresses, ...how } = brokerOf(settings);
  return Promise.all(
    addresses.map((address) =>
      trying(
        `broker ${describeAddress(address)}`,
        async () => {
          await firstValueFrom(openSession({ ...how, address, onNotice: () => {} }));
          return undefined;
        },
        messageOf,
      ),
    ),
  );
};
