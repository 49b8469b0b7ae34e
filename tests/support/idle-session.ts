import type { Staff } from '@chat-realtime/testkit';
import type { Chat } from './chat.ts';

const NAME = 'left-idle-for-the-sweep';

/**
 * A session nobody writes in. Made when the first file of the `main` profile begins and looked at by one of the last,
 * so that the minute until it is closed passes while other tests run.
 */
export async function idleSession(chat: Chat, staff: Staff): Promise<number> {
  const { sessions } = await staff.sessions({ q: NAME });
  const [known] = sessions;
  if (known !== undefined) return known.id;
  const customer = await chat.customer({ name: NAME });
  await customer.post('and then silence');
  await staff.post(customer.sessionId, 'anything else?');
  return customer.sessionId;
}
