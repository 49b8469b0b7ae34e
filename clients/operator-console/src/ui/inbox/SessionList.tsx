import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import type { ViewName } from '../../names.ts';
import { heldOrder } from '../../state/inbox-view.ts';
import { scrollToShow, windowOf } from '../../state/window.ts';
import { Drawable } from '../parts/Drawable.tsx';
import { SessionRow } from './SessionRow.tsx';

export const ROW_HEIGHT = 76;
const RELEASE_MS = 1_000;

interface SessionListProps {
  readonly rows: readonly StaffSession[];
  readonly sessions: ReadonlyMap<number, StaffSession>;
  readonly selected: number | null;
  readonly view: ViewName;
  readonly onEnd?: (() => void) | undefined;
}

/** Draws only the visible rows; keeps its order while the pointer is over it. */
export function SessionList({ rows, sessions, selected, view, onEnd }: SessionListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ scrollTop: 0, height: 900 });
  const [held, setHeld] = useState<readonly number[] | null>(null);
  const release = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Once per change, not once per frame of scrolling.
  const shown = useMemo(() => (held === null ? rows : heldOrder(rows, held, sessions)), [rows, held, sessions]);
  const order = useRef(shown);
  order.current = shown;

  const measure = (): void => {
    const element = box.current;
    if (element === null) return;
    const { scrollTop, clientHeight } = element;
    setSight({ scrollTop, height: clientHeight });
    if (scrollTop + clientHeight > element.scrollHeight - 400) onEnd?.();
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => () => clearTimeout(release.current), []);

  useLayoutEffect(() => {
    const index = order.current.findIndex((session) => session.id === selected);
    const element = box.current;
    if (index === -1 || element === null) return;
    const to = scrollToShow(index, ROW_HEIGHT, { scrollTop: element.scrollTop, height: element.clientHeight });
    if (to !== null) element.scrollTop = to;
  }, [selected]);

  const hold = (event: PointerEvent): void => {
    if (event.pointerType === 'touch') return;
    clearTimeout(release.current);
    setHeld((ids) => ids ?? order.current.map((session) => session.id));
  };
  const letGo = (): void => {
    clearTimeout(release.current);
    release.current = setTimeout(() => setHeld(null), RELEASE_MS);
  };

  const { from, to } = windowOf(sight, { count: shown.length, rowHeight: ROW_HEIGHT });
  return (
    <div class="session-list" ref={box} onScroll={measure} onPointerEnter={hold} onPointerLeave={letGo}>
      <ul style={{ height: `${shown.length * ROW_HEIGHT}px` }} aria-label={t().views[view]}>
        {shown.slice(from, to).map((session, index) => (
          <li
            key={session.id}
            class="row-place"
            aria-setsize={shown.length}
            aria-posinset={from + index + 1}
            style={{ transform: `translateY(${(from + index) * ROW_HEIGHT}px)` }}
          >
            <Drawable instead={`#${session.id}`}>
              <SessionRow session={session} view={view} selected={session.id === selected} />
            </Drawable>
          </li>
        ))}
      </ul>
    </div>
  );
}
