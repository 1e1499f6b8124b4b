import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { Button } from 'react-aria-components';
import { isPaused, liveState } from '../live/effects.ts';
import { useKey } from '../page/keys.ts';
import { Notice } from '../page/states.tsx';
import { dayOf, exactly } from '../page/time.tsx';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { EventLine } from './event-line.tsx';
import { FeedReader, mostShown, type Feed } from './feed-queries.ts';
import { m } from './messages.ts';
import { Nothing, type Understand } from './nothing.tsx';
import { linesOf, type EventQuery, type Line } from './rules.ts';
import css from './events.module.css';

interface Props {
  readonly query: EventQuery;
  readonly q: string;
  readonly understand: Understand;
  readonly onFilter: (q: string) => void;
}

/** The matching events by day, the newest first; new ones come in at the top while the reader is there. */
export function FeedList({ query, q, understand, onFilter }: Props) {
  // The query is the key of this component: another query begins another list.
  const [reader] = useState(() => new FeedReader(query));
  const feed = useStore(reader.feed);
  const [isAtTop, top] = useInView();
  const isLive = query.until === undefined || new Date(query.until) > new Date();
  useEffect(() => {
    void reader.readOlder();
    return isLive ? reader.follow() : undefined;
  }, [reader, isLive]);
  useEffect(() => {
    if (isAtTop && feed.fresh.length > 0) reader.show();
  }, [reader, isAtTop, feed.fresh]);
  useKey('n', () => reader.show());
  return (
    <>
      <div ref={top} role="status" className={css.state}>
        <Tail isLive={isLive} isAtTop={isAtTop} />
      </div>
      <div className={css.fresh}>
        {feed.fresh.length > 0 && (
          <Button className="primary" onPress={() => reader.show()}>
            {m.events.fresh(feed.fresh.length)}
          </Button>
        )}
      </div>
      <Lines feed={feed} />
      <End
        feed={feed}
        understand={understand}
        onOlder={() => void reader.readOlder()}
        onFilter={onFilter}
        q={q}
      />
    </>
  );
}

function Tail({ isLive, isAtTop }: { readonly isLive: boolean; readonly isAtTop: boolean }) {
  const paused = useStore(isPaused);
  const state = useStore(liveState);
  if (!isLive) return m.events.still;
  if (paused) return m.events.paused;
  if (state !== 'live') return '';
  return isAtTop ? m.events.live : m.events.held;
}

/** Whether the marked place is on screen. */
function useInView() {
  const [isInView, setInView] = useState(true);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setInView(entry?.isIntersecting ?? true));
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return [isInView, place] as const;
}

function Lines({ feed: { events } }: { readonly feed: Feed }) {
  const lines = useMemo(() => linesOf(events), [events]);
  const zone = useStore(timeZone);
  const days = useMemo(() => byDay(lines), [lines, zone]);
  return (
    // Keys move between the lines; each is reached by Tab as well.
    <div className={css.days} role="group" aria-label={m.events.list} onKeyDown={moveBetween}>
      {days.map(({ day, own }) => (
        <section key={day} aria-label={nameOfDay(day)}>
          <h2>{nameOfDay(day)}</h2>
          <ol>
            {own.map((line) => (
              <EventLine key={line.event.cursor} line={line} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

function moveBetween(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (step === undefined || !(event.target instanceof Element)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-line]')];
  const now = event.target.closest('li')?.querySelector('[data-line]');
  const next = all[all.findIndex((one) => one === now) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function byDay(lines: readonly Line[]): readonly { readonly day: string; readonly own: readonly Line[] }[] {
  const days: { day: string; own: Line[] }[] = [];
  for (const line of lines) {
    const day = dayOf(line.event.on);
    const last = days.at(-1);
    if (last?.day === day) last.own.push(line);
    else days.push({ day, own: [line] });
  }
  return days;
}

const dayMs = 86_400_000;

function nameOfDay(day: string): string {
  const now = Date.now();
  const [today, yesterday] = [now, now - dayMs].map((time) => dayOf(new Date(time).toISOString()));
  if (day === today) return `${m.events.today}, ${day}`;
  return day === yesterday ? `${m.events.yesterday}, ${day}` : day;
}

interface EndProps {
  readonly feed: Feed;
  readonly q: string;
  readonly understand: Understand;
  readonly onOlder: () => void;
  readonly onFilter: (q: string) => void;
}

/** The end of the list: how to go on to older events. */
function End({ feed, q, understand, onOlder, onFilter }: EndProps) {
  const { events, isReading, isMore, looked, problem } = feed;
  if (problem !== undefined)
    return (
      <Notice title={m.events.refused}>
        <p role="alert">{problem}</p>
        <Button onPress={() => onFilter('')}>{m.items.clear}</Button>
      </Notice>
    );
  if (isReading) return <p className={css.end}>{m.events.reading}</p>;
  if (!isMore && events.length === 0) return <Nothing q={q} understand={understand} onFilter={onFilter} />;
  if (!isMore) return <p className={css.end}>{m.events.beginning}</p>;
  const last = events.at(-1);
  if (events.length >= mostShown && last)
    return (
      <p className={css.end}>
        {m.events.full(exactly(last.on))}{' '}
        <Button onPress={() => onFilter(withUntil(q, last.on))}>{m.events.goOn}</Button>
      </p>
    );
  return (
    <p className={css.end}>
      {looked > 0 && `${m.events.lookedBack(looked)} `}
      <Button onPress={onOlder}>{m.events.older}</Button>
    </p>
  );
}

/** The filter with another end of its time span. */
function withUntil(q: string, on: string): string {
  return `${q.replaceAll(/(^|\s)at:?<=?("[^"]*"|\S+)/g, '').trim()} at<="${on}"`.trim();
}
