import type { StaffClient, StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { type PlacedEvent, PlacedEvents } from '../../state/timeline.ts';

const BACK = 300;

/** The changes of state of a session: the last ones from its events, then as they come. */
export function useStateEvents(client: StaffClient, session: StaffSession): readonly PlacedEvent[] {
  const [events, setEvents] = useState<readonly PlacedEvent[]>([]);
  useEffect(() => {
    const placed = new PlacedEvents();
    let shown = true;
    const off = client.onSession(session.id, (event) => setEvents(placed.add([event])));
    client.api
      .events(session.id, { afterSeq: Math.max(0, session.last_seq - BACK), limit: 500 })
      .then((answer) => shown && setEvents(placed.add(answer.events)))
      // The conversation itself says when it cannot be read; without these lines it is still whole.
      .catch(() => shown && setEvents(placed.add([])));
    return () => {
      shown = false;
      off();
    };
  }, [client, session.id]);
  return events;
}
