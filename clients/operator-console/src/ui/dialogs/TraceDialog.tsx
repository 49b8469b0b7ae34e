import type { TraceResponse } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import type { Operator } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Dialog } from './Dialog.tsx';

type Hop = TraceResponse['hops'][number];

function whom({ to }: Hop, operators: readonly Operator[]): string | null {
  if (to === undefined) return null;
  if (to === 'customer' || to === 'client') return t().trace.toCustomer;
  if (to === 'staff') return t().trace.toStaff;
  const id = to.replace(/^staff:/, '');
  return t().trace.operator(operators.find((operator) => operator.id === id)?.name ?? id);
}

function place(where: string): string {
  const { places } = t().trace;
  return where === 'database' || where === 'this process' ? places[where] : where;
}

/** With milliseconds, which matter here. */
const exactTime = (at: string): string => {
  const time = new Date(at);
  return `${time.toLocaleTimeString(undefined, { hour12: false })}.${String(time.getMilliseconds()).padStart(3, '0')}`;
};

/** The path of a message, with times. For admins: the server gives it to nobody else. */
export function TraceDialog({ sessionId, messageId }: { sessionId: number; messageId: number }) {
  const { desk } = useDesk();
  const operators = useStore(desk.operators, (state) => state.list);
  const [found, setFound] = useState<TraceResponse | 'failed' | null>(null);
  useEffect(() => {
    let shown = true;
    desk.client.api
      .trace(sessionId, messageId)
      .then((answer) => shown && setFound(answer))
      .catch(() => shown && setFound('failed'));
    return () => {
      shown = false;
    };
  }, [sessionId, messageId]);
  const { trace } = t();
  return (
    <Dialog title={trace.title}>
      <p class="hint">{trace.hint}</p>
      {found === null && <p class="hint">{t().loading}</p>}
      {found === 'failed' && <p role="alert">{trace.failed}</p>}
      {found !== null && found !== 'failed' && (
        <>
          <ol class="hops">
            {found.hops.map((hop, index) => {
              const details = [
                whom(hop, operators),
                hop.sockets === undefined ? null : trace.sockets(hop.sockets),
                hop.or_before === true ? trace.orBefore : null,
              ].filter((text) => text !== null);
              return (
                <li key={`${hop.hop} ${index}`}>
                  <time dateTime={hop.at}>{exactTime(hop.at)}</time>
                  <span>
                    {trace.hops[hop.hop]}
                    {details.length > 0 && `: ${details.join(', ')}`}
                    <small>{place(hop.where)}</small>
                  </span>
                </li>
              );
            })}
          </ol>
          {found.silent.map((where) => (
            <p class="hint" key={where}>
              {trace.silent(where)}
            </p>
          ))}
        </>
      )}
    </Dialog>
  );
}
